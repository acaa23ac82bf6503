import { describe, expect, it } from 'vitest';
import type { CalendarDay } from '../src/api/schema/market';
import { closureName } from '../src/i18n/closures';
import { isOld, isPriceOld, quoteOf } from '../src/parts/staleness';
import { modelPath, parseRoute, symbolPath } from '../src/routes';
import { shortcutOf } from '../src/shell/keys';
import { left, phaseAt } from '../src/shell/session';

describe('an address', () => {
  it('of a symbol is read in capitals of ASCII, never of Turkish', () => {
    expect(parseRoute('/s/isctr')).toEqual({ name: 'symbol', symbol: 'ISCTR' });
    expect(parseRoute('/s/THYAO/')).toEqual({ name: 'symbol', symbol: 'THYAO' });
  });
  it('that no page answers is unknown', () => {
    for (const path of ['/s', '/s/', '/s/TH%20YAO', '/s/THYAO/x', '/s/İSCTR', '/about/x', '/nothing', '/s/%E0%A4%A', '/quality/a-b']) {
      expect(parseRoute(path).name, path).toBe('unknown');
    }
  });
  it('of each page is found', () => {
    expect(parseRoute('/')).toEqual({ name: 'root' });
    expect(parseRoute('/models')).toEqual({ name: 'models', version: null });
    expect(parseRoute('/record')).toEqual({ name: 'record' });
    expect(parseRoute('/record/x').name).toBe('unknown');
    expect(parseRoute('/studies')).toEqual({ name: 'studies', study: null });
    expect(parseRoute('/experiments/5-2026-11-28')).toEqual({ name: 'experiments', experiment: '5-2026-11-28' });
    expect(parseRoute('/studies/trees%20h5')).toEqual({ name: 'studies', study: 'trees h5' });
    expect(parseRoute('/quality')).toEqual({ name: 'quality', symbol: null, code: null });
    expect(parseRoute('/quality/thyao')).toEqual({ name: 'quality', symbol: 'THYAO', code: null });
    expect(parseRoute('/quality/thyao/flat_bar')).toEqual({ name: 'quality', symbol: 'THYAO', code: 'flat_bar' });
    expect(parseRoute('/quality/thyao/flat_bar/x').name).toBe('unknown');
    expect(parseRoute('/about')).toEqual({ name: 'about' });
    expect(['/login', '/login/code', '/invitation', '/enrol'].map((path) => parseRoute(path).name)).toEqual(['login', 'code', 'invitation', 'enrol']);
    expect(parseRoute('/settings')).toEqual({ name: 'settings', part: 'security' });
    expect(parseRoute('/settings/keys')).toEqual({ name: 'settings', part: 'keys' });
    expect(parseRoute('/admin/audit')).toEqual({ name: 'admin', part: 'audit', id: null });
    for (const path of ['/login/x', '/invitation/x', '/settings/x', '/admin/x', '/admin/audit/1']) expect(parseRoute(path).name, path).toBe('unknown');
  });
  it('survives the way there and back', () => {
    expect(parseRoute(symbolPath('XU100'))).toEqual({ name: 'symbol', symbol: 'XU100' });
    const version = 'gbdt/2026 a';
    expect(parseRoute(modelPath(version))).toEqual({ name: 'models', version });
  });
});

describe('a key', () => {
  const press = (key: string, ctrlKey = false): { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean } => ({
    key,
    ctrlKey,
    metaKey: false,
    altKey: false,
  });
  it('asks for what the help dialog says', () => {
    expect(['/', 'j', 'k', 't', '?'].map((key) => shortcutOf(press(key), true))).toEqual(['search', 'next', 'previous', 'theme', 'help']);
  });
  it('that is single can be switched off, Ctrl+K stays', () => {
    expect(['/', 'j', 'k', 't', '?'].map((key) => shortcutOf(press(key), false))).toEqual([null, null, null, null, null]);
    expect(shortcutOf(press('k', true), false)).toBe('search');
    expect(shortcutOf(press('K', true), false)).toBe('search');
  });
  it('with Ctrl is left to the browser', () => {
    expect(shortcutOf(press('t', true), true)).toBeNull();
    expect(shortcutOf({ ...press('j'), altKey: true }, true)).toBeNull();
  });
});

it('prices are old from the second missed session on, and never for want of a calendar', () => {
  expect([0, 1, 2, 75].map((sessions) => isOld(sessions))).toEqual([false, false, true, true]);
  expect(isOld(null)).toBe(false);
});

it('a price of this moment stands before that of the bars, and is as old as it says', () => {
  const told = {
    symbol: 'THYAO',
    as_of: '2026-11-27',
    last_close: '312.50',
    previous_close: '310.00',
    change_share: 0.0081,
    priced_at: '2026-11-27T09:00:00Z',
    age_s: 3,
    stale: false,
    live_source: 'algolab',
    replay_time: null,
  };
  const quote = quoteOf(told);
  expect(quote).toMatchObject({ price: '312.50', stale: false, live_source: 'algolab' });
  expect(quoteOf({ ...told, live_source: null })).toBeNull();
  expect(isPriceOld({ quote, stale_sessions: 9 })).toBe(false);
  expect(isPriceOld({ quote: quoteOf({ ...told, stale: true }), stale_sessions: 0 })).toBe(true);
  expect(isPriceOld({ quote: quoteOf({ ...told, stale: null }), stale_sessions: 0 })).toBe(false);
  expect(isPriceOld({ quote: null, stale_sessions: 2 })).toBe(true);
});

describe('the session', () => {
  const session = (day: string, kind: CalendarDay['kind'] = 'full'): CalendarDay => ({
    day,
    kind,
    name: null,
    opens_at: `${day}T06:40:00Z`,
    closes_at: kind === 'half' ? `${day}T09:40:00Z` : `${day}T15:10:00Z`,
    settles_on: null,
  });
  const closed = (day: string, name: string): CalendarDay => ({ day, kind: 'closed', name, opens_at: null, closes_at: null, settles_on: null });
  const calendar = [
    session('2026-11-20'),
    closed('2026-11-21', 'weekend'),
    closed('2026-11-22', 'weekend'),
    session('2026-11-23', 'half'),
    closed('2026-11-24', 'Victory Day'),
    { ...closed('2026-11-25', ''), kind: 'unknown' as const, name: null },
  ];
  const at = (day: string, time: string): ReturnType<typeof phaseAt> => phaseAt(calendar, day, new Date(`${day}T${time}Z`));
  it('opens and closes when the calendar says', () => {
    expect(at('2026-11-20', '06:39:59')).toMatchObject({ kind: 'before_open', half: false });
    expect(at('2026-11-20', '06:40:00')).toMatchObject({ kind: 'open' });
    expect(at('2026-11-20', '15:09:59')).toMatchObject({ kind: 'open' });
    expect(at('2026-11-20', '15:10:00')).toMatchObject({ kind: 'after_close', next: { day: '2026-11-23' } });
  });
  it('of a half day is called so', () => {
    expect(at('2026-11-23', '08:00:00')).toMatchObject({ kind: 'open', half: true });
    expect(at('2026-11-23', '10:00:00')).toMatchObject({ kind: 'after_close' });
  });
  it('is not held on closed days, which is no error', () => {
    expect(at('2026-11-21', '08:00:00')).toMatchObject({ kind: 'closed', weekend: true, next: { day: '2026-11-23' } });
    expect(at('2026-11-24', '08:00:00')).toMatchObject({ kind: 'closed', weekend: false, name: 'Victory Day', next: null });
  });
  it('is unknown where the calendar ends', () => {
    expect(at('2026-11-25', '08:00:00')).toEqual({ kind: 'unknown' });
    expect(at('2027-01-04', '08:00:00')).toEqual({ kind: 'unknown' });
  });
  it('counts what is left in whole minutes, rounded up', () => {
    const until = new Date('2026-11-20T15:10:00Z');
    expect(left(until, new Date('2026-11-20T13:04:30Z'))).toEqual({ hours: 2, minutes: 6 });
    expect(left(until, new Date('2026-11-20T16:00:00Z'))).toEqual({ hours: 0, minutes: 0 });
  });
  it('names closures in the language of the reader', () => {
    expect(closureName('tr', 'Victory Day')).toBe('Zafer Bayramı');
    expect(closureName('en', 'Victory Day')).toBe('Victory Day');
    expect(closureName('tr', 'a new holiday')).toBe('a new holiday');
  });
});
