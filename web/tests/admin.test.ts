import { afterEach, describe, expect, it, vi } from 'vitest';
import { Activity, type Done } from '../src/activity';
import { ERROR_KINDS, ERROR_STATES, type UsageItem } from '../src/api/schema/analytics';
import { faultOf, Faults, scrubbed, type Fault } from '../src/faults';
import { activityWords } from '../src/i18n/activity_words';
import { adminWords } from '../src/i18n/admin_words';
import { errorWords } from '../src/i18n/error_words';
import { length, milliseconds, tick } from '../src/i18n/measures';
import { adminPath, ADMIN_PARTS, errorPath, parseRoute } from '../src/routes';
import { countChange, pointChange, relativeChange, toneOf } from '../src/routes/admin/change';
import { byOf, nextSort, ofRow, rowName, shownName, sorted, sortOf } from '../src/routes/admin/usage/usage_rows';
import { boundsOf, whileVisible, windowOf, WINDOWS, withSearch } from '../src/routes/admin/window';

afterEach(() => vi.useRealTimers());

describe('an address of administration', () => {
  it('leads to each of its pages, the overview first', () => {
    expect(parseRoute('/admin')).toEqual({ name: 'admin', part: 'overview', id: null });
    for (const part of ADMIN_PARTS) expect(parseRoute(adminPath(part))).toEqual({ name: 'admin', part, id: null });
    expect(parseRoute(errorPath('e0123456789abcdef'))).toEqual({ name: 'admin', part: 'errors', id: 'e0123456789abcdef' });
    for (const path of ['/admin/usage/1', '/admin/errors/a%2Fb', '/admin/errors/1/2']) expect(parseRoute(path).name, path).toBe('unknown');
  });
});

describe('a window of time', () => {
  it('is what the address names, otherwise a day', () => {
    expect(WINDOWS.map((name) => windowOf(`?window=${name}`))).toEqual([...WINDOWS]);
    expect([windowOf(''), windowOf('?window=year')]).toEqual(['day', 'day']);
  });
  it('ends now and is as long as it says, also where clocks were changed', () => {
    const now = new Date('2026-03-30T00:30:00Z');
    expect(boundsOf('hour', now)).toEqual({ from: '2026-03-29T23:30:00.000Z', to: '2026-03-30T00:30:00.000Z' });
    expect(boundsOf('day', now).from).toBe('2026-03-29T00:30:00.000Z');
    expect(boundsOf('week', now).from).toBe('2026-03-23T00:30:00.000Z');
    expect(boundsOf('month', now).from).toBe('2026-02-28T00:30:00.000Z');
  });
  it('is chosen without losing the other choices', () => {
    expect(withSearch('/admin/usage', '?by=key&row=k1', { window: 'week' })).toBe('/admin/usage?by=key&row=k1&window=week');
    expect(withSearch('/admin/usage', '?by=key&window=week', { window: 'day', by: null })).toBe('/admin/usage');
    expect(withSearch('/admin/errors', '', { state: '' })).toBe('/admin/errors');
  });
});

describe('a page that is asked for again', () => {
  it('is left alone while nobody looks, and asked for as soon as somebody does', () => {
    vi.useFakeTimers();
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' as DocumentVisibilityState });
    let asked = 0;
    const end = whileVisible(() => (asked += 1), 15_000, page as unknown as Document);
    vi.advanceTimersByTime(30_000);
    expect(asked).toBe(2);
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    vi.advanceTimersByTime(60_000);
    expect(asked).toBe(2);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(asked).toBe(3);
    end();
    page.dispatchEvent(new Event('visibilitychange'));
    vi.advanceTimersByTime(60_000);
    expect(asked).toBe(3);
  });
});

describe('a change against the window before', () => {
  it('is a share of what there was, and none where there was nothing', () => {
    expect(relativeChange(150, 100)).toBe(0.5);
    expect(relativeChange(0, 100)).toBe(-1);
    expect([countChange(5, 2), countChange(5, 0), countChange(5, null)]).toEqual([3, 5, null]);
    expect([relativeChange(5, 0), relativeChange(null, 5), relativeChange(5, null)]).toEqual([null, null, null]);
  });
  it('of a share is told in points', () => {
    expect(pointChange(0.03, 0.01)).toBeCloseTo(2, 10);
    expect(pointChange(0.01, null)).toBeNull();
  });
  it('is bad where more is bad, and neither where it is not', () => {
    expect([toneOf(0.1, 'bad'), toneOf(-0.1, 'bad'), toneOf(0, 'bad'), toneOf(null, 'bad'), toneOf(3, 'neither')]).toEqual(['down', 'up', 'muted', 'muted', 'muted']);
  });
});

describe('measures', () => {
  it('of an answer are in milliseconds, from a second on in seconds', () => {
    expect(['tr', 'en'].map((language) => milliseconds(language as 'tr' | 'en', 62.44))).toEqual(['62,4 msn', '62.4 ms']);
    expect(milliseconds('en', 0.8)).toBe('0.8 ms');
    expect(milliseconds('en', 1311)).toBe('1.31 secs');
    expect([milliseconds('tr', null), milliseconds('tr', NaN)]).toEqual(['–', '–']);
  });
  it('of a length are in its largest unit', () => {
    expect([59, 60, 3600, 86_400, 172_800].map((seconds) => length('en', seconds))).toEqual(['59 seconds', '1 minute', '1 hour', '24 hours', '2 days']);
    expect(length('tr', 12 * 86_400)).toBe('12 gün');
    expect(length('tr', undefined)).toBe('–');
  });
  it('of a moment are those of Istanbul', () => {
    const at = new Date('2026-11-30T21:30:00Z');
    expect(tick('tr', at, 3600)).toBe('00:30');
    expect(tick('en', at, 86_400)).toBe('1 Dec');
  });
});

describe('rows of usage', () => {
  const item = (name: string, requests_count: number, p95_ms: number | null): UsageItem => ({
    name, requests_count, p95_ms, method: 'GET', account: null, key: null, client_errors_count: 0, refused_count: 0, errors_count: 0, p50_ms: null, p99_ms: null, mean_ms: null, last_at: null,
  });
  const items = [item('/b', 2, 30), item('/a', 2, null), item('/c', 9, 10)];
  const names = (sort: string): string[] => sorted(items, sortOf(`?sort=${sort}`)).map(({ name }) => name);
  it('go by what the address says, equal ones by name, what is unknown last', () => {
    expect(names('-requests_count')).toEqual(['/c', '/a', '/b']);
    expect(names('requests_count')).toEqual(['/a', '/b', '/c']);
    expect(names('p95_ms')).toEqual(['/c', '/b', '/a']);
    expect(names('-p95_ms')).toEqual(['/b', '/c', '/a']);
    expect(names('name')).toEqual(['/a', '/b', '/c']);
    expect(names('-name')).toEqual(['/c', '/b', '/a']);
    expect(names('nothing')).toEqual(['/c', '/a', '/b']);
  });
  it('go by the column pressed, numbers from the greatest down', () => {
    const usual = sortOf('');
    expect(nextSort(usual, 'requests_count')).toBe('requests_count');
    expect(nextSort(usual, 'p99_ms')).toBe('-p99_ms');
    expect(nextSort(usual, 'name')).toBe('name');
    expect(nextSort(sortOf('?sort=name'), 'name')).toBe('-name');
  });
  it('are asked for over time by what they are of', () => {
    expect([byOf('?by=key'), byOf('?by=x')]).toEqual(['key', 'route']);
    const row = { ...item('ayse', 1, 1), method: null, account: 'u1' };
    expect(rowName('route', item('/a', 1, 1))).toBe('GET /a');
    expect(ofRow('route', item('/a', 1, 1))).toEqual({ route: '/a', method: 'GET' });
    expect(ofRow('account', row)).toEqual({ account: 'u1' });
    expect(ofRow('key', { ...row, key: 'k1' })).toEqual({ key: 'k1' });
  });
  it('of nobody in particular have a name of their own and nothing over time', () => {
    const nobody = { ...item('(nobody)', 1, 1), method: null };
    expect([rowName('account', nobody), rowName('key', { ...nobody, name: '(no key)' })]).toEqual(['(nobody)', '(no key)']);
    const words = adminWords('en').unnamed;
    expect(shownName('account', nobody, words)).toBe('not signed in');
    expect(shownName('account', { ...nobody, account: 'u1' }, words)).toBe('(nobody)');
    expect(shownName('key', { ...nobody, name: 'constructor', key: 'k1' }, words)).toBe('constructor');
    expect([ofRow('route', nobody), ofRow('account', nobody), ofRow('key', nobody)]).toEqual([null, null, null]);
  });
});

it('each kind and state has a word in both languages, and each page a name', () => {
  for (const language of ['tr', 'en'] as const) {
    const words = errorWords(language);
    for (const kind of ERROR_KINDS) expect(words.kinds[kind], kind).not.toBe('');
    for (const state of ERROR_STATES) expect([words.states[state], words.steps[state]], state).not.toContain(undefined);
    for (const kind of ['sign_in', 'view', 'search', 'export', 'alert', 'order']) expect(activityWords(language).kinds[kind], kind).toBeTypeOf('string');
    expect(Object.keys(adminWords(language).tabs)).toEqual([...ADMIN_PARTS]);
  }
});

describe('a fault of a page', () => {
  const here = { pathname: '/s/THYAO', origin: 'https://bist.example', typed: [] as string[] };
  function failure(message: string, stack: string): Error {
    const error = new TypeError(message);
    error.stack = stack;
    return error;
  }
  it('is told with its place, and addresses without host and query', () => {
    const stack = 'TypeError: x is undefined\n    at draw (https://bist.example/assets/SymbolPage-Bxh.js:12:345)\n    at https://bist.example/assets/index.js:1:2';
    expect(faultOf(failure('x is undefined', stack), here)).toEqual({
      message: 'TypeError: x is undefined',
      place: '/assets/SymbolPage-Bxh.js:12:345',
      page: '/s/THYAO',
      stack: 'at draw (/assets/SymbolPage-Bxh.js:12:345)\nat /assets/index.js:1:2',
    });
    expect(faultOf('stopped', here)).toEqual({ message: 'stopped', place: '/s/THYAO', page: '/s/THYAO' });
    expect(faultOf({ password: 'geheim' }, here)?.message).toBe('[object Object]');
  });
  it('never has what was typed, queries, contents, mail addresses or tokens', () => {
    const typed = ['kirmizi balon', 'ab'];
    const said = 'bad kirmizi balon in https://bist.example/x?token=1#y, "geheim" of ayse@example.org, /a/b?c=d, abcdefghijklmnopqrstuvwxyz0123456789 and ab';
    expect(scrubbed(said, here.origin, typed)).toBe('bad … in /x "…" of … /a/b … and ab');
  });
  it('is none where a request was given up, a layout took another frame, or an extension failed', () => {
    expect(faultOf(new DOMException('given up', 'AbortError'), here)).toBeNull();
    expect(faultOf('ResizeObserver loop completed with undelivered notifications.', here)).toBeNull();
    expect(faultOf(failure('x', 'TypeError: x\n at chrome-extension://abc/a.js:1:1'), here)).toBeNull();
  });
  it('is cut to what may be sent', () => {
    const long = faultOf(failure('ş'.repeat(5000), ''), here);
    expect(long?.message.length).toBe(300);
  });
  it('is told once, and five a minute at most', () => {
    const told: Fault[] = [];
    let now = 0;
    const faults = new Faults((fault) => told.push(fault), () => now);
    const fault = (message: string): Fault => ({ message, place: 'here' });
    for (const message of ['a', 'a', 'b', 'c', 'd', 'e', 'f']) faults.take(fault(message));
    expect(told.map(({ message }) => message)).toEqual(['a', 'b', 'c', 'd', 'e']);
    now = 60_000;
    for (const message of ['a', 'f', 'f']) faults.take(fault(message));
    expect(told.map(({ message }) => message)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});

it('what was done is told once after a pause, or at once when the page is left', () => {
  vi.useFakeTimers();
  const sent: Done[] = [];
  const activity = new Activity((done) => sent.push(done));
  activity.add({ kind: 'view', subject: 'THYAO' });
  activity.add({ kind: 'view', subject: 'THYAO' });
  activity.add({ kind: 'search', subject: 'THYAO' });
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(3000);
  expect(sent.map(({ kind }) => kind)).toEqual(['view', 'search']);
  activity.add({ kind: 'view', subject: 'THYAO' });
  activity.flush();
  vi.advanceTimersByTime(60_000);
  expect(sent.length).toBe(3);
});
