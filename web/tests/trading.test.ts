import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import * as api from '../src/api/trading';
import { rangeOf } from '../src/charts/time_series';
import { DENIAL_CODES, denialOf, isOfMoment, TRADING_PROBLEM_CODES, tradingSentence } from '../src/i18n/denials';
import { MISSING } from '../src/i18n/format';
import { eventSentence, noFillText } from '../src/i18n/paper_events';
import { tradingWords } from '../src/i18n/trading_words';
import { parseRoute, ticketPath } from '../src/routes';
import { faultsOf, orderOf, smallestOrder, stepped, ticketChoices, ticketKey, totalOf, typedAmount, typedShares, type Ticket } from '../src/routes/orders/ticket';
import { chosenOf, largestOf } from '../src/routes/portfolio/chosen';

// uPlot measures the screen that it is loaded on.
vi.mock('uplot', () => ({ default: class {} }));
vi.mock('uplot/dist/uPlot.min.css', () => ({}));
afterEach(() => vi.unstubAllGlobals());

const TODAY = '2026-11-30';
const ticket: Ticket = { side: 'buy', symbol: 'THYAO', quantity: '100', kind: 'limit', price: '312,50', validity: 'day', until: '2026-12-07' };

describe('what is typed into a ticket', () => {
  it('is an amount with a comma or a dot, of four decimals at most', () => {
    expect(['312,50', '312.5', ' 7 ', '0,0001'].map(typedAmount)).toEqual(['312.50', '312.5', '7', '0.0001']);
    for (const text of ['', '0', '-1', '1,2,3', '1.234,56', '0,00001', '1e3', 'abc', '12345678901']) expect(typedAmount(text), text).toBeNull();
  });
  it('is a whole number of shares', () => {
    expect(['1', ' 250 ', '007'].map(typedShares)).toEqual([1, 250, 7]);
    for (const text of ['', '0', '-5', '1,5', '1.000', '1e3', '1234567890123456']) expect(typedShares(text), text).toBeNull();
  });
  it('is found wrong by field, in the order of the fields', () => {
    expect(faultsOf(ticket, ['THYAO'], TODAY)).toEqual([]);
    expect(faultsOf({ ...ticket, symbol: 'THY', quantity: '0', price: '' }, ['THYAO'], TODAY)).toEqual(['symbol', 'quantity', 'price']);
  });
  it('names a last day that is not before the first session, nor more than thirty days after it', () => {
    const dated = (until: string): Ticket => ({ ...ticket, validity: 'until', until });
    expect(['2026-11-30', '2026-12-30'].map((day) => faultsOf(dated(day), ['THYAO'], TODAY))).toEqual([[], []]);
    expect(['2026-11-29', '2026-12-31', ''].map((day) => faultsOf(dated(day), ['THYAO'], TODAY))).toEqual([['until'], ['until'], ['until']]);
  });
  it('of a market order has neither price nor day that could be wrong', () => {
    expect(faultsOf({ ...ticket, kind: 'market', price: 'x', validity: 'until', until: '' }, ['THYAO'], TODAY)).toEqual([]);
  });
});

describe('the order of a ticket', () => {
  it('has the members of its kind and no others', () => {
    const base = { portfolio: 'f1', symbol: 'THYAO', side: 'buy', quantity_shares: 100 };
    expect(orderOf(ticket, 'f1')).toEqual({ ...base, kind: 'limit', limit_price: '312.50', validity: 'day' });
    expect(orderOf({ ...ticket, validity: 'until' }, 'f1')).toEqual({ ...base, kind: 'limit', limit_price: '312.50', validity: 'until', until: '2026-12-07' });
    expect(orderOf({ ...ticket, kind: 'market', validity: 'until' }, 'f1')).toEqual({ ...base, kind: 'market', validity: 'day' });
  });
  it('that is the smallest asks for one share at the market', () => {
    expect(smallestOrder('f1', 'THYAO')).toEqual({ portfolio: 'f1', symbol: 'THYAO', side: 'buy', quantity_shares: 1, kind: 'market', validity: 'day' });
  });
  it('costs its charges on top, and a sale brings them less', () => {
    const preview = { amount: '31250.00', charges: { commission: '12.50', bsmv: '0.63', exchange_fee: '0.94', total: '14.07' } };
    expect(totalOf('buy', preview)).toBeCloseTo(31264.07, 6);
    expect(totalOf('sell', preview)).toBeCloseTo(31235.93, 6);
  });
});

describe('a price that is stepped', () => {
  it('goes to the next valid price, without the errors of binary fractions', () => {
    expect(stepped('312.50', '0.25', 1)).toBe('312.75');
    expect(stepped('312.50', '0.25', -1)).toBe('312.25');
    expect(stepped('19.98', '0.01', 1)).toBe('19.99');
    expect(stepped('0.0003', '0.0001', 1)).toBe('0.0004');
  });
  it('from between two steps goes to the nearer side', () => {
    expect(stepped('312.60', '0.25', 1)).toBe('312.75');
    expect(stepped('312.60', '0.25', -1)).toBe('312.50');
  });
  it('never comes to nothing, nor moves by no step', () => {
    expect(stepped('0.01', '0.01', -1)).toBeNull();
    expect(stepped('1', '0', 1)).toBeNull();
  });
});

describe('the address of a ticket', () => {
  it('survives the way there and back', () => {
    const path = ticketPath({ portfolio: 'f0123456789abcdef', symbol: 'THYAO', side: 'sell' });
    expect(parseRoute(new URL(path, 'http://x').pathname)).toEqual({ name: 'orders' });
    expect(ticketChoices(new URL(path, 'http://x').search)).toEqual({ portfolio: 'f0123456789abcdef', symbol: 'THYAO', side: 'sell' });
  });
  it('that asks for nothing, or for nonsense, is an empty purchase', () => {
    expect(ticketPath({})).toBe('/orders');
    expect(ticketChoices('?symbol=%3Cb%3E&side=short')).toEqual({ portfolio: null, symbol: '', side: 'buy' });
    expect(parseRoute('/orders/x').name).toBe('unknown');
    expect(parseRoute('/portfolio')).toEqual({ name: 'portfolio' });
    expect(parseRoute('/admin/trading')).toEqual({ name: 'admin', part: 'trading', id: null });
  });
});

it('a ticket has a key of visible characters, another one each time', () => {
  const keys = Array.from({ length: 50 }, ticketKey);
  expect(new Set(keys).size).toBe(50);
  for (const key of keys) expect(key).toMatch(/^[!-~]{1,64}$/);
});

describe('a portfolio that is shown', () => {
  const open = { id: 'a', closed_at: null };
  const closed = { id: 'b', closed_at: '2026-11-01T10:00:00Z' };
  it('is the one asked for, otherwise the first that is open, otherwise the first', () => {
    expect(chosenOf([closed, open], 'b')).toBe(closed);
    expect(chosenOf([closed, open], 'gone')).toBe(open);
    expect(chosenOf([closed], null)).toBe(closed);
    expect(chosenOf([], 'a')).toBeNull();
  });
  it('has a largest position only where weights are known', () => {
    const positions = [{ symbol: 'A', value_share: 0.1 }, { symbol: 'B', value_share: null }, { symbol: 'C', value_share: 0.3 }];
    expect(largestOf(positions)).toBe('C');
    expect(largestOf([{ symbol: 'B', value_share: null }])).toBeNull();
  });
});

const NUMBERS = {
  last_day: '2026-11-26',
  expected_day: '2026-11-27',
  price: '312.60',
  below: '312.50',
  above: '312.75',
  lower: '281.25',
  upper: '343.75',
  notional: '300000.00',
  limit: 0.25,
  share: 0.31,
  needed: '31264.07',
  available: '12000.00',
  ordered: 100,
  free: 40,
  max: 100,
  first_session: '2026-12-01',
  latest: '2026-12-31',
};
const denied = (denial: string, numbers: object = NUMBERS): ApiError =>
  new ApiError('order_denied', 422, 'order denied', 'server words', 'r', null, { denial, ...numbers });

describe('a denial', () => {
  it.each(DENIAL_CODES)('%s is a sentence of its own in both languages, with its numbers', (code) => {
    const [turkish, english] = [tradingSentence('tr', denied(code)), tradingSentence('en', denied(code))];
    expect(turkish).not.toBe(english);
    for (const sentence of [turkish, english]) {
      expect(sentence).toMatch(/^[\p{Lu}\d].*\.?$/u);
      expect(sentence).not.toMatch(/undefined|server words/);
      // Two price limits have a dash of their own between them.
      expect(sentence?.replace(/[\d.,]+ – [\d.,]+/, ''), 'every number it needs is there').not.toContain(MISSING);
    }
  });
  it('writes its numbers as the language does', () => {
    expect(tradingSentence('tr', denied('cash_short'))).toBe('Nakit yetmiyor: gereken 31.264,07 TL, kullanılabilir 12.000,00 TL.');
    expect(tradingSentence('en', denied('cash_short'))).toBe('The cash is not enough: 31,264.07 TRY are needed and 12,000.00 TRY are free.');
    expect(tradingSentence('tr', denied('position_above_limit'))).toContain('%31,00');
    expect(tradingSentence('en', denied('shares_short'))).toContain('40 shares');
  });
  it('beside a price that has no valid one below or above names the other alone', () => {
    expect(tradingSentence('en', denied('off_tick', { price: '0.004', below: null, above: '0.01' }))).toBe('0.004 is no valid price step. The one above is 0.01.');
  });
  it('of a newer server falls back to its words', () => {
    expect(tradingSentence('tr', denied('moon_is_full'))).toBe('server words');
  });
  it('stands for every order of the moment, or only for this one', () => {
    expect(['halted', 'closed', 'no_bars', 'stale', 'limits_unknown'].every((code) => isOfMoment(denied(code)))).toBe(true);
    expect(['cash_short', 'off_tick', 'too_many_open'].some((code) => isOfMoment(denied(code)))).toBe(false);
    expect(isOfMoment(new ApiError('no_session', 409, '', null, null))).toBe(true);
    expect(denialOf(new ApiError('forbidden', 403, '', null, null))).toBeNull();
  });
});

it('the problems of paper trading are sentences in both languages, and others are left to the words that all share', () => {
  for (const code of TRADING_PROBLEM_CODES) {
    const problem = new ApiError(code, 409, '', 'server words', null);
    const [turkish, english] = [tradingSentence('tr', problem), tradingSentence('en', problem)];
    expect(turkish).not.toBe(english);
    for (const sentence of [turkish, english]) expect(sentence, code).toMatch(/^\p{Lu}.*\.$/u);
  }
  expect(tradingSentence('tr', new ApiError('internal', 500, '', null, null))).toBeNull();
});

describe('what happened to a portfolio', () => {
  const events = [
    {
      event: 'filled',
      fill: { day: '2026-12-01', symbol: 'THYAO', side: 'buy', shares: 100, price: '312.50', amount: '31250.00', charges: { commission: '12.50', bsmv: '0.63', exchange_fee: '0.94', total: '14.07' }, settles_on: '2026-12-03' },
    },
    { event: 'expired', symbol: 'THYAO', unfilled: 100, why: 'not_reached' },
    { event: 'dividend', symbol: 'THYAO', shares: 100, per_share: '2.50', gross: '250.00', withheld: '37.50' },
    { event: 'shares', symbol: 'THYAO', kind: 'split', before: 100, after: 250, paid_instead: '1.25' },
    { event: 'rights_sold', symbol: 'THYAO', shares: 100, amount: '75.00' },
  ];
  it.each(events)('$event is a sentence of its own in both languages', (event) => {
    const [turkish, english] = [eventSentence('tr', event), eventSentence('en', event)];
    expect(turkish).not.toBe(english);
    for (const sentence of [turkish, english]) {
      expect(sentence).not.toMatch(/undefined|NaN/);
      expect(sentence).not.toContain(MISSING);
      expect(sentence).toContain('THYAO');
    }
  });
  it('is told with its money', () => {
    expect(eventSentence('en', events[0] ?? { event: '' })).toBe('Buy: 100 THYAO at ₺312.50; amount ₺31,250.00, charges ₺14.07. Settles on 3 Dec 2026.');
    expect(eventSentence('tr', events[1] ?? { event: '' })).toBe('Emrin süresi doldu (THYAO): 100 adet gerçekleşmedi; fiyat limite ulaşmadı.');
  });
  it('of a newer server is not made up', () => {
    expect(eventSentence('en', { event: 'moon' })).toBe(tradingWords('en').events.other);
    expect(noFillText('tr', 'moon')).toBe(tradingWords('tr').noFillOther);
  });
});

describe('the axis of a value', () => {
  it('begins at zero, or shows the small changes of a large amount', () => {
    expect(rangeOf(20, 100, true)).toEqual([0, 108]);
    expect(rangeOf(0, 0, true)).toEqual([0, 1]);
    const [low, high] = rangeOf(99_000, 101_000, false);
    expect([Math.round(low), Math.round(high)]).toEqual([98_840, 101_160]);
  });
  it('has a flat line in its middle', () => {
    const [low, high] = rangeOf(100_000, 100_000, false);
    expect((low + high) / 2).toBeCloseTo(100_000, 6);
    expect(high).toBeGreaterThan(low);
  });
});

describe('what is asked of the server', () => {
  it('names a key that places an order once', async () => {
    let sent: Headers | null = null;
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
      sent = new Headers(init.headers);
      return Promise.resolve(new Response(JSON.stringify({ id: 'o1' }), { status: 201 }));
    });
    await api.placeOrder(orderOf(ticket, 'f1'), 'k1');
    expect((sent as Headers | null)?.get('idempotency-key')).toBe('k1');
  });
  it('keeps the numbers of what is refused', async () => {
    const problem = { code: 'order_denied', title: 't', detail: 'd', denial: 'cash_short', needed: '10.00', available: '5.00' };
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(problem), { status: 422 })));
    const error = await api.previewOrder(orderOf(ticket, 'f1')).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).members).toMatchObject({ denial: 'cash_short', needed: '10.00' });
  });
  it('is as many rows as are wanted, page by page', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (url: string) => {
      asked.push(url);
      return Promise.resolve(new Response(JSON.stringify(asked.length === 1 ? { items: [1, 2], next: 'before-2' } : { items: [3], next: null })));
    });
    expect(await api.portfolioEvents('f1', 25)).toEqual({ items: [1, 2, 3], next: null });
    expect(asked).toEqual(['/api/v1/portfolios/f1/events?limit=25', '/api/v1/portfolios/f1/events?limit=23&cursor=before-2']);
  });
});
