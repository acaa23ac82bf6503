// Paper portfolios, paper orders and their halt. First what a reader does on the server itself, as far as its
// data let orders be placed; then, with stand-ins for its answers, what depends on the day: fills, denials,
// a halt, an answer that is lost, and a reader who may not trade.
import { join } from 'node:path';
import { forgive, problem, stepUp, turnStale } from './access.mjs';
import { api, check, inspect, inspectLooks, keepSession, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';

const LABEL = { tr: 'SANAL', en: 'PAPER' };
const isAnswerTo = (path) => (response) => new URL(response.url()).pathname === `/api/v1${path}`;

/** Every card that shows paper money or orders, and the page itself, says that it is paper. */
async function labelled(page, where, least) {
  const labels = await page.locator('main [data-paper]').allInnerTexts();
  const lang = await page.evaluate(() => document.documentElement.lang);
  check(labels.length >= least && labels.every((label) => label === LABEL[lang]), `${where}: the label reads ${JSON.stringify(labels)}`);
}

/** Chooses a share by its ticker with the keyboard alone. */
async function pick(page, symbol) {
  await page.locator('input[name="symbol"]').focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.type(symbol.toLowerCase());
  await page.waitForSelector(`[role="option"][aria-selected="true"][data-option="${symbol}"]`, { timeout: WAIT_MS });
  await page.keyboard.press('Enter');
  check((await page.locator('input[name="symbol"]').inputValue()) === symbol, `ticket: the keyboard chose another share than ${symbol}`);
  check((await page.locator('[role="listbox"]').isVisible()) === false, 'ticket: the list of shares stays open after a choice');
}

/** A portfolio is opened, an order placed and cancelled where the data allow it, and the portfolio closed. */
async function onTheServer(browser, symbol) {
  const { page, complaints, close } = await openPage(browser);
  const name = `Yolculuk ${Date.now().toString(36)}`;
  try {
    await visit(page, '/portfolio', 'main [data-summary], main [data-open-portfolio]');
    const details = page.locator('details summary').filter({ hasText: 'Yeni sanal portföy' });
    if ((await details.count()) > 0) await details.click();
    await page.locator('[data-open-portfolio] input[name="name"]').fill(name);
    await page.locator('[data-open-portfolio] input[name="cash"]').fill('100000,50');
    const opening = page.waitForResponse(isAnswerTo('/portfolios'), { timeout: WAIT_MS });
    await page.locator('[data-open-portfolio] button[type="submit"]').click();
    const { id, paper, opening_cash: cash } = await (await opening).json();
    check(paper === true && cash === '100000.50', `portfolio: it was opened as ${JSON.stringify({ paper, cash })}`);
    await page.waitForSelector(`[data-summary="${id}"]`, { timeout: WAIT_MS });
    await settled(page);
    check((await page.locator('[data-cash]').innerText()).includes('100.000,50'), 'portfolio: the cash is not that it was opened with');
    await labelled(page, 'portfolio', 2);
    await inspect(page, complaints, 'portfolio just opened');

    await page.locator('[data-to-ticket]').press('Enter');
    await page.waitForSelector('[data-ticket]', { timeout: WAIT_MS });
    const looking = page.waitForResponse(isAnswerTo('/orders/preview'), { timeout: WAIT_MS }).catch(() => null);
    await pick(page, symbol);
    const looked = await looking;
    await settled(page);
    await labelled(page, 'orders', 4);
    if (looked === null || !looked.ok()) {
      await page.waitForSelector('[data-blocked-reason]', { timeout: WAIT_MS });
      check(await page.locator('[data-look]').isDisabled(), 'ticket: it is open although no order would be taken');
      forgive(complaints, 422);
    } else await placeAndCancel(page, complaints, symbol);
    await inspect(page, complaints, 'orders on the server');

    await visit(page, `/portfolio?portfolio=${id}`, `[data-summary="${id}"]`);
    await page.locator('details summary').filter({ hasText: 'Portföyü kapat' }).click();
    await page.locator('[data-close-portfolio] button').first().click();
    await page.locator('[data-close-portfolio] button').first().click();
    await page.waitForSelector('[data-closed]', { timeout: WAIT_MS });
    check((await api(`/api/v1/portfolios/${id}`)).closed_at !== null, 'portfolio: the server did not close it');
    check((await page.locator('[data-to-ticket]').count()) === 0, 'portfolio: a closed one leads to a ticket');
    // A blocked ticket asks again when there are news of the data.
    forgive(complaints, 422);
    await inspect(page, complaints, 'portfolio closed');
  } finally {
    await close();
  }
}

async function placeAndCancel(page, complaints, symbol) {
  await page.locator('[data-kind="market"]').click();
  await page.locator('input[name="quantity"]').fill('999999999');
  await page.locator('[data-look]').click();
  await problem(page, 'order_denied');
  check((await page.locator('input[name="quantity"]').inputValue()) === '999999999', 'ticket: what was typed is lost by a denial');
  forgive(complaints, 422);
  await page.locator('input[name="quantity"]').fill('1');
  await page.locator('[data-look]').click();
  await page.waitForSelector('[data-preview]', { timeout: WAIT_MS });
  await page.locator('[data-confirm]').click();
  const row = page.locator('[data-orders="open"] [data-order]').filter({ hasText: symbol });
  await row.first().waitFor({ timeout: WAIT_MS });
  await row.first().locator('.act button').click();
  await row.first().locator('.act button').first().click();
  await page.waitForSelector('[data-orders="ended"] [data-status="cancelled"]', { timeout: WAIT_MS });
}

const CHARGES = { commission: '12.50', bsmv: '0.63', exchange_fee: '0.94', total: '14.07' };
const FILL = { day: '2026-11-27', side: 'buy', quantity_shares: 60, price: '312.50', amount: '18750.00', charges: CHARGES, settles_on: '2026-12-01', limited_by: 'share_of_volume' };

/** A server of paper trading that lives in the page's routes; `asked` is what it was asked to do. */
function standIn([symbol, other]) {
  const portfolio = {
    paper: true, id: 'f0123456789abcdef', name: 'Deneme', opened_at: '2026-10-01T09:00:00Z', closed_at: null, revision: 7, through: '2026-11-27', as_of: '2026-11-27', opening_cash: '100000.00', value: '104310.25', cash: '42310.25',
    settled_cash: '61060.25', reserved_cash: '11310.25', free_cash: '31000.00', invested: '62000.00', invested_share: 0.5944, profit: '4310.25', profit_share: 0.0431, day_profit: '-812.40', unrealised: '3900.00', realised: '410.25', charges: '96.40', dividends: '85.00',
    pending: [{ settles_on: '2026-12-01', amount: '-18750.00' }],
    positions: [
      { symbol, quantity_shares: 160, free_shares: 60, cost: '46100.00', average_cost: '288.13', last_close: '312.50', last_day: '2026-11-27', origin: 'market', source: 'csv', is_stale: false, day_change_share: -0.0126, value: '50000.00', value_share: 0.4793, unrealised: '3900.00' },
      { symbol: other, quantity_shares: 100, free_shares: 100, cost: '12000.00', average_cost: '120.00', last_close: '120.00', last_day: '2026-11-26', origin: 'market', source: 'csv', is_stale: true, day_change_share: null, value: '12000.00', value_share: 0.115, unrealised: '0.00' },
    ],
    open_orders_count: 1, largest_position_share: 0.4793, missing: [], costs: { commission_share: 0.0004, bsmv_share_of_commission: 0.05, exchange_fee_share: 0.00003, slippage_share: 0.0005 }, limits: { order_notional_max: '25000.00', position_share_max: 0.4 },
    tail_risks: [{ level: 0.95, value_at_risk_share: 0.0212, expected_shortfall_share: 0.0308, returns_count: 250 }, { level: 0.99, value_at_risk_share: 0.0371, expected_shortfall_share: 0.0442, returns_count: 250 }],
    drawdown: { share: 0.0614, peak_day: '2026-10-20', trough_day: '2026-11-05' },
  };
  const order = {
    paper: true, id: 'o0000000000000001', portfolio: portfolio.id, symbol, side: 'buy', quantity_shares: 100, kind: 'limit', limit_price: '312.50', validity: 'until', until: '2026-12-04', placed_at: '2026-11-26T16:00:00Z',
    first_session: '2026-11-27', last_session: '2026-12-04', status: 'open', filled_shares: 60, remaining_shares: 40, ended_on: null, cancelled_at: null, cancel_reason: null, unfilled_because: null, fills: [{ ...FILL, symbol }],
  };
  const days = Array.from({ length: 40 }, (_, index) => ({ day: new Date(Date.UTC(2026, 9, 1 + index)).toISOString().slice(0, 10), value: String(100_000 + 4000 * Math.sin(index / 6)), cash: '42310.25', stale: [] }));
  const events = [
    { number: 3, day: '2026-11-27', order: order.id, event: { event: 'filled', fill: { ...FILL, symbol, shares: 60 } } },
    { number: 2, day: '2026-11-20', order: null, event: { event: 'dividend', symbol, shares: 100, per_share: '1.00', gross: '100.00', withheld: '15.00' } },
    { number: 1, day: '2026-11-12', order: 'o0000000000000000', event: { event: 'expired', symbol: other, unfilled: 50, why: 'not_reached' } },
  ];
  return {
    trading: { halted: false, reason: null },
    portfolios: [portfolio],
    open: [order],
    ended: [
      { ...order, id: 'o0000000000000000', symbol: other, side: 'sell', status: 'expired', filled_shares: 0, remaining_shares: 50, quantity_shares: 50, ended_on: '2026-11-12', unfilled_because: 'not_reached', fills: [] },
      { ...order, id: 'o0000000000000002', status: 'cancelled', cancelled_at: '2026-11-10T10:00:00Z', cancel_reason: 'halt', kind: 'market', limit_price: null, validity: 'day', until: null, fills: [] },
    ],
    asked: [],
    /** What the next preview is answered instead. */
    denial: null,
    isLost: false,
    days,
    events,
    order,
  };
}

const refused = (denial) => ({
  status: 422,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title: 'order denied', status: 422, detail: 'server words', code: 'order_denied', request_id: 'e2e-422', ...denial }),
});

async function serve(page, world) {
  const list = (items, more = {}) => ({ json: { paper: true, items, next: null, ...more } });
  await page.route('**/api/v1/portfolios**', (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path.endsWith('/days')) return route.fulfill(list(world.days));
    if (path.endsWith('/events')) return route.fulfill(list(world.events));
    return route.fulfill(list(world.portfolios, { trading: world.trading }));
  });
  await page.route('**/api/v1/orders**', (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    const sent = request.postDataJSON();
    if (request.method() === 'GET') return route.fulfill(list(searchParams.get('open') === 'true' ? world.open : world.ended, { trading: world.trading }));
    if (request.method() === 'DELETE') {
      const id = pathname.split('/').at(-1);
      const gone = { ...world.open.find((one) => one.id === id), status: 'cancelled', cancelled_at: '2026-11-30T10:00:00Z', cancel_reason: 'owner' };
      world.open = world.open.filter((one) => one.id !== id);
      world.ended = [gone, ...world.ended];
      return route.fulfill({ json: gone });
    }
    if (world.trading.halted) return route.fulfill(refused({ denial: 'halted' }));
    if (pathname.endsWith('/preview')) {
      // The smallest order asks whether any can be placed; it is never denied here.
      const isAsked = sent.quantity_shares !== 1 || sent.kind !== 'market';
      if (isAsked && world.denial !== null) return route.fulfill(refused(world.denial));
      return route.fulfill({ json: { paper: true, origin: 'market', estimated_price: '312.50', amount: '31250.00', charges: CHARGES, reserve: '34389.07', first_session: '2026-12-01', executes_from: '2026-12-01T06:40:00Z', cash_after: '11046.18', price_limits: { lower: '281.25', upper: '343.75' }, price_step: '0.25' } });
    }
    world.asked.push({ key: request.headers()['idempotency-key'], sent });
    if (world.isLost) return route.abort('connectionreset');
    const placed = { ...world.order, ...sent, id: 'o0000000000000009', status: 'open', filled_shares: 0, remaining_shares: sent.quantity_shares, first_session: '2026-12-01', fills: [], until: sent.until ?? null, limit_price: sent.limit_price ?? null };
    world.open = [placed, ...world.open];
    return route.fulfill({ status: 201, json: placed });
  });
}

/** Nobody has a portfolio at first, and is told what to do. */
async function firstPortfolio(browser, symbols) {
  const world = { ...standIn(symbols), portfolios: [], open: [], ended: [] };
  const { page, complaints, close } = await openPage(browser);
  try {
    await serve(page, world);
    await visit(page, '/portfolio', '[data-open-portfolio]');
    check(await page.locator('[data-open-portfolio] button[type="submit"]').isDisabled(), 'portfolio: one can be opened without a name');
    await inspectLooks(page, complaints, 'portfolio-first');
    await visit(page, '/orders', '[data-no-portfolio]');
    await inspect(page, complaints, 'orders without a portfolio');
  } finally {
    await close();
  }
}

/** What a portfolio with a history says, and how it looks. */
async function fullPortfolio(browser, symbols) {
  const world = standIn(symbols);
  const { page, complaints, close } = await openPage(browser);
  try {
    await serve(page, world);
    await visit(page, '/portfolio', '[data-summary]');
    await page.waitForSelector('[data-curve] canvas', { timeout: WAIT_MS });
    check((await page.locator('[data-value]').innerText()).includes('104.310,25'), 'portfolio: the value is not that of the server');
    check((await page.locator('[data-position]').count()) === 2, 'portfolio: not a row a position');
    check((await page.locator('[data-event]').count()) === 3, 'portfolio: not a row an event');
    check(!/undefined|NaN/.test(await page.locator('main').innerText()), 'portfolio: a gap is shown');
    check((await page.locator('[data-risk]').innerText()).includes('%2,12'), 'portfolio: the value at risk is not that of the server');
    check((await page.locator('[data-limits] .warn').count()) === 1, 'portfolio: a share above its limit does not stand out');
    await labelled(page, 'portfolio', 2);
    await page.locator('[data-curve] details > summary').click();
    await page.waitForSelector('[data-curve] tbody tr', { timeout: WAIT_MS });
    check((await page.locator('[data-curve] tbody tr').count()) === world.days.length, 'portfolio: the table beside the curve has not a row a session');
    await inspectLooks(page, complaints, 'portfolio');
    await page.locator(`[data-position="${symbols[0]}"] .act a`).last().press('Enter');
    await page.waitForSelector('[data-ticket] [data-side="sell"][aria-pressed="true"]', { timeout: WAIT_MS });
    check((await page.locator('input[name="symbol"]').inputValue()) === symbols[0], 'portfolio: the way to the ticket does not name the share');
  } finally {
    await close();
  }
}

/** A ticket: what is wrong is told by field, a denial with its numbers, and nothing is placed before it was confirmed. */
async function ticket(browser, symbols) {
  const world = standIn(symbols);
  const { page, complaints, close } = await openPage(browser);
  const [symbol, other] = symbols;
  const price = page.locator('input[name="price"]');
  const quantity = page.locator('input[name="quantity"]');
  try {
    await serve(page, world);
    await visit(page, `/orders?symbol=${symbol}&side=buy`, '[data-ticket]');
    await page.waitForSelector('[data-price-hint]:has-text("343,75")', { timeout: WAIT_MS });
    await labelled(page, 'orders', 4);
    await page.locator('[data-show-fills]').first().press('Enter');
    await page.waitForSelector('[data-fills]', { timeout: WAIT_MS });
    await inspectLooks(page, complaints, 'orders');
    await pick(page, other);
    await pick(page, symbol);

    await page.locator('[data-look]').click();
    check((await page.locator('[data-ticket] [role="alert"]').count()) === 2, 'ticket: quantity and price are not both told to be wrong');
    check((await page.evaluate(() => document.activeElement?.getAttribute('name'))) === 'quantity', 'ticket: the first field that is wrong is not where one types');
    await quantity.fill('100');
    await price.focus();
    await price.fill('312,5');
    await page.keyboard.press('ArrowUp');
    check((await price.inputValue()) === '312,75', `ticket: a step up from 312,5 is ${await price.inputValue()}`);

    await price.fill('312,60');
    world.denial = { denial: 'off_tick', price: '312.60', below: '312.50', above: '312.75' };
    await page.keyboard.press('Enter');
    await problem(page, 'order_denied');
    const said = await page.locator('[data-problem="order_denied"]').innerText();
    check(said.includes('312,50') && said.includes('312,75') && !said.includes('server words'), `ticket: the denial reads "${said}"`);
    check((await price.inputValue()) === '312,60' && (await quantity.inputValue()) === '100', 'ticket: what was typed is lost by a denial');
    forgive(complaints, 422);
    await inspectLooks(page, complaints, 'orders-denied');
    world.denial = null;
    await page.locator('[data-near-price]').first().click();

    await quantity.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-preview] h3:focus', { timeout: WAIT_MS });
    check((await page.locator('[data-preview]').innerText()).includes('31.264,07'), 'ticket: what is to be paid is not amount and charges');
    // Keys that are pressed again where one is place nothing.
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    check(world.asked.length === 0, 'ticket: an order was placed before it was confirmed');
    await inspectLooks(page, complaints, 'orders-preview');
    await placeTwice(page, complaints, world, symbol);
    await cancel(page, complaints, world);
    check((await page.locator('[data-blocked-reason]').count()) === 0, 'ticket: it is blocked for no reason');
  } finally {
    await close();
  }
}

/** An answer that is lost leaves the ticket as it is, and the same key is sent again. */
async function placeTwice(page, complaints, world, symbol) {
  world.isLost = true;
  await page.locator('[data-confirm]').click();
  await problem(page, 'unreachable');
  complaints.length = 0;
  world.isLost = false;
  await page.locator('[data-confirm]').click();
  await page.waitForSelector('[data-order="o0000000000000009"]', { timeout: WAIT_MS });
  const [first, second] = world.asked;
  check(world.asked.length === 2 && first.key === second.key && /^[!-~]{1,64}$/.test(first.key), `ticket: the keys are ${first.key} and ${second?.key}`);
  const wanted = { portfolio: 'f0123456789abcdef', symbol, side: 'buy', quantity_shares: 100, kind: 'limit', validity: 'day', limit_price: '312.50' };
  check(JSON.stringify(second.sent) === JSON.stringify(wanted), `ticket: the order that was sent is ${JSON.stringify(second.sent)}`);
  check((await page.locator('[data-said]').innerText()).length > 0, 'ticket: it is not told that the order was taken');
  check((await page.locator('[data-preview]').count()) === 0, 'ticket: the preview stays after the order was placed');
}

async function cancel(page, complaints, world) {
  const row = page.locator('[data-order="o0000000000000009"]');
  await row.locator('.act button').click();
  check(world.open.length === 2, 'orders: one was cancelled without being asked about');
  await row.locator('.act button').first().click();
  await page.waitForSelector('[data-orders="ended"] [data-order="o0000000000000009"][data-status="cancelled"]', { timeout: WAIT_MS });
  await settled(page);
  await inspect(page, complaints, 'orders, one cancelled');
}

/** While trading is halted, and for a viewer, the ticket says why it is none. */
async function closedDoors(browser, symbols) {
  const world = { ...standIn(symbols), trading: { halted: true, reason: 'Fiyatlar yanlış' } };
  const halted = await openPage(browser);
  try {
    await serve(halted.page, world);
    await visit(halted.page, `/orders?symbol=${symbols[0]}`, '[data-blocked-reason]');
    check((await halted.page.locator('[data-blocked-reason]').innerText()).includes('Fiyatlar yanlış'), 'halt: the ticket does not say why it is closed');
    check(await halted.page.locator('[data-look]').isDisabled(), 'halt: the ticket is open');
    await settled(halted.page);
    forgive(halted.complaints, 422);
    await inspectLooks(halted.page, halted.complaints, 'orders-halted');
  } finally {
    await halted.close();
  }
  const viewer = await openPage(browser, { language: 'en' });
  try {
    await viewer.page.route('**/api/v1/auth/session', async (route) => {
      const answer = await route.fetch();
      const session = await answer.json();
      await route.fulfill({ response: answer, json: { ...session, account: { ...session.account, role: 'viewer' } } });
    });
    for (const path of ['/portfolio', '/orders']) {
      await visit(viewer.page, path, '[data-forbidden]');
      check((await viewer.page.locator('nav a[href="/portfolio"], nav a[href="/orders"]').count()) === 0, `a viewer is led to ${path}`);
      await labelled(viewer.page, `${path} of a viewer`, 1);
      await inspect(viewer.page, viewer.complaints, `${path} of a viewer`);
    }
  } finally {
    await viewer.close();
  }
}

/** The switch of the administrator: the word is typed, a fresh code given, and what was done is on record. */
async function haltAndResume(browser, owner) {
  const { page, complaints, close } = await openPage(browser);
  const change = page.locator('[data-change-trading]');
  try {
    await visit(page, '/admin/trading', '[data-trading]');
    check((await page.locator('[data-trading="running"]').count()) === 1, 'halt: trading is halted before anybody did');
    await inspectLooks(page, complaints, 'trading-running');
    await change.locator('input[name="reason"]').fill('a journey');
    check(await change.locator('button').isDisabled(), 'halt: it can be done without typing the word');
    await change.locator('input[name="typed"]').fill('DURDUR');
    await turnStale(page, 'admin/trading/halt');
    await change.locator('button').click();
    await stepUp(page, owner.secret);
    await page.waitForSelector('[data-trading="halted"]', { timeout: WAIT_MS });
    forgive(complaints, 403);
    await keepSession(page.context());
    const state = await api('/api/v1/admin/trading');
    check(state.halted === true && state.reason === 'a journey' && state.open_orders_count === 0, `halt: the server says ${JSON.stringify(state)}`);
    await inspectLooks(page, complaints, 'trading-halted');
    await visit(page, '/portfolio', '[data-halted]');
    check((await page.locator('[data-halted]').innerText()).includes('a journey'), 'halt: the page of portfolios does not say why');
    await inspect(page, complaints, 'portfolio while trading is halted');

    await visit(page, '/admin/trading', '[data-trading="halted"]');
    await change.locator('input[name="reason"]').fill('the journey is over');
    await change.locator('input[name="typed"]').fill('AÇ');
    await change.locator('button').click();
    await page.waitForSelector('[data-trading="running"]', { timeout: WAIT_MS });
    await inspect(page, complaints, 'trading resumed');
    const { items } = await api('/api/v1/audit?action=trading.halted&limit=1');
    check(items.length === 1, 'halt: it is not on record');
  } finally {
    await close();
  }
}

/** The share's page leads to a ticket that names the share and the side of its signal. */
async function fromShare(browser, symbol) {
  const { page, complaints, close } = await openPage(browser);
  try {
    await visit(page, `/s/${symbol}`, '[data-paper-order]');
    const link = new URL(await page.locator('[data-paper-order]').first().getAttribute('href'), 'http://x');
    check(link.pathname === '/orders' && link.searchParams.get('symbol') === symbol, `share: the way to the ticket is ${link.pathname}${link.search}`);
    await inspect(page, complaints, 'share with a way to the ticket', { axe: false });
    await page.screenshot({ path: join(OUT, 'share-paper-order.png') });
  } finally {
    await close();
  }
}

/** All of it, by who has signed in; nothing of it stays open. */
export async function tradingJourney(browser, owner) {
  const symbols = (await api('/api/v1/symbols?limit=2')).items.map(({ symbol }) => symbol);
  await onTheServer(browser, symbols[0]);
  await fromShare(browser, symbols[0]);
  await firstPortfolio(browser, symbols);
  await fullPortfolio(browser, symbols);
  await ticket(browser, symbols);
  await closedDoors(browser, symbols);
  await haltAndResume(browser, owner);
}
