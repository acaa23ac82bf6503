// The pages of the market and the screener say what the API says, and the address keeps a view.
import { join } from 'node:path';
import { api, check, inspect, numberTr, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';

export async function marketJourney(browser) {
  const overview = await api('/api/v1/market/overview');
  const { page, complaints, close } = await openPage(browser);
  const text = (selector) => page.locator(selector).innerText();
  try {
    await visit(page, '/market', '[data-regime]');
    await page.waitForSelector('[data-sector]', { timeout: WAIT_MS });
    for (const [kind, count] of [['up', overview.breadth.advancers_count], ['down', overview.breadth.decliners_count]]) {
      check((await text(`[data-breadth="${kind}"]`)).includes(numberTr(count)), `market: the breadth of ${kind} is not ${count}`);
    }
    for (const { symbol, state } of overview.indices) {
      check((await page.locator(`[data-index="${symbol}"][data-state="${state}"]`).count()) === 1, `market: ${symbol} is not told to be ${state}`);
    }
    check((await page.locator('[data-sector]').count()) === (await api('/api/v1/market/sectors')).items.length, 'market: not a row a sector');
    const first = overview.gainers[0];
    if (first !== undefined) check((await text('[data-movers="gainers"] tbody')).startsWith(first.symbol), `market: the first gainer is not ${first.symbol}`);

    await page.locator('main nav a[href="/market/scenario"]').press('Enter');
    await page.waitForSelector('[data-scenario]', { timeout: WAIT_MS });
    const told = await api('/api/v1/scenarios?market_change_share=-0.1&horizon_sessions=5&limit=1000');
    check((await page.locator('[data-moved]').count()) === told.items.length, 'scenario: not a row a share');
    check((await page.locator('[data-episode]').count()) === told.episodes.length, 'scenario: not a row an episode');
    await settled(page);
    await inspect(page, complaints, 'scenario');
    await page.screenshot({ path: join(OUT, 'scenario-dark-tr-1440.png'), fullPage: true });

    await visit(page, '/screener', '[data-found]');
    await page.locator('main select').last().selectOption('rsi_14');
    await page.locator('main form input').last().fill('50');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-chip="rsi_14"]', { timeout: WAIT_MS });
    const found = await api('/api/v1/screener?where=rsi_14:..50&sort=-composite');
    await page.waitForSelector(`[data-found="${found.found_count}"]`, { timeout: WAIT_MS });
    await page.reload({ waitUntil: 'commit' });
    await page.waitForSelector(`[data-found="${found.found_count}"]`, { timeout: WAIT_MS });
    check((await page.locator('[data-chip="rsi_14"]').count()) === 1, 'screener: the address does not keep the condition');
    if (found.items.length > 1) {
      await page.locator('[data-sort="symbol"]').press('Enter');
      const wanted = (await api('/api/v1/screener?where=rsi_14:..50&sort=symbol')).items[0].symbol;
      await page.waitForSelector(`tbody tr:first-child[data-row="${wanted}"]`, { timeout: WAIT_MS });
    }
    await settled(page);
    await inspect(page, complaints, 'screener with a condition');
    await page.screenshot({ path: join(OUT, 'screener-dark-tr-1440.png') });
  } finally {
    await close();
  }
}
