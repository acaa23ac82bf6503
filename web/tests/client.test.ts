import { afterEach, describe, expect, it, vi } from 'vitest';
import * as api from '../src/api/client';
import { Resource } from '../src/api/resource.svelte';
import type { Bar } from '../src/api/schema/market';
import * as studyApi from '../src/api/studies';

function answer(body: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(body), init);
}

afterEach(() => vi.unstubAllGlobals());

describe('a request', () => {
  it('names only what is asked for', () => {
    expect(api.path('/bars', { symbol: 'SKRG1', cursor: null })).toBe('/api/v1/bars?symbol=SKRG1');
    expect(api.path('/symbols')).toBe('/api/v1/symbols');
    expect(api.path('/symbols', { q: 'a&b' })).toBe('/api/v1/symbols?q=a%26b');
  });
  it('of a list follows the cursor to the end', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (url: string) => {
      asked.push(url);
      return Promise.resolve(answer(asked.length === 1 ? { items: [{ symbol: 'A' }], next: 'c1' } : { items: [{ symbol: 'B' }], next: null }));
    });
    expect((await api.symbols()).map((entry) => entry.symbol)).toEqual(['A', 'B']);
    expect(asked[1]).toBe('/api/v1/symbols?limit=1000&cursor=c1');
  });
});

describe('what is asked for again and again', () => {
  it('is the same object as long as the server says that nothing has changed', async () => {
    const asked: (string | null)[] = [];
    const bodies: (Response | null)[] = [
      answer({ items: [{ name: 's' }], next: null }, { headers: { etag: '"1"' } }),
      null,
      answer({ items: [], next: null }, { headers: { etag: '"2"' } }),
    ];
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
      asked.push(new Headers(init.headers).get('if-none-match'));
      return Promise.resolve(bodies[asked.length - 1] ?? new Response(null, { status: 304 }));
    });
    const first = await studyApi.studies();
    const second = await studyApi.studies();
    const third = await studyApi.studies();
    expect(second).toBe(first);
    expect(third).toEqual([]);
    expect(asked).toEqual([null, '"1"', '"1"']);
  });
  it('names the trials that are wanted', async () => {
    let asked = '';
    vi.stubGlobal('fetch', (url: string) => {
      asked = url;
      return Promise.resolve(answer({ items: [], next: null }));
    });
    await studyApi.trials('a/b', { state: 'pruned', sort: 'value', descending: false, limit: 5000 });
    expect(asked).toBe('/api/v1/studies/a%2Fb/trials?state=pruned&sort=value&order=asc&limit=1000');
  });
});

describe('a problem', () => {
  it('keeps its code and request id', async () => {
    const problem = { type: 'about:blank', title: 'unknown symbol', status: 404, detail: 'XYZ', code: 'unknown_symbol', request_id: 'r-1' };
    vi.stubGlobal('fetch', () => Promise.resolve(answer(problem, { status: 404 })));
    await expect(api.model('x')).rejects.toMatchObject({ code: 'unknown_symbol', status: 404, detail: 'XYZ', requestId: 'r-1' });
  });
  it('that is no document keeps the status and the id of the header', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502, headers: { 'x-request-id': 'r-2' } })));
    await expect(api.model('x')).rejects.toMatchObject({ code: 'http_502', requestId: 'r-2' });
  });
  it('is also that nobody answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
    await expect(api.model('x')).rejects.toMatchObject({ code: 'unreachable', status: 0 });
  });
});

describe('a resource', () => {
  it('never shows an old answer that comes late', async () => {
    const resource = new Resource<string>();
    let finishFirst: (value: string) => void = () => undefined;
    const first = resource.load('a', () => new Promise((resolve) => (finishFirst = resolve)));
    const second = resource.load('b', () => Promise.resolve('second'));
    await second;
    finishFirst('first');
    await first;
    expect(resource.value).toBe('second');
    expect(resource.loading).toBe(false);
  });
  it('refreshed unseen keeps answer and problem until the next answer is there', async () => {
    const resource = new Resource<string>();
    const failing = new api.ApiError('internal', 500, 'x', null, null);
    let next: Promise<string> = Promise.resolve('first');
    await resource.load('a', () => next);
    next = Promise.reject(failing);
    await resource.refresh();
    expect([resource.value, resource.problem]).toEqual(['first', failing]);
    let finish: (value: string) => void = () => undefined;
    next = new Promise((resolve) => (finish = resolve));
    const refreshed = resource.refresh();
    expect([resource.value, resource.problem]).toEqual(['first', failing]);
    finish('second');
    await refreshed;
    expect([resource.value, resource.problem]).toEqual(['second', null]);
  });
  it('keeps the last answer of the same key when a refresh fails, and says that it failed', async () => {
    const resource = new Resource<string>();
    await resource.load('a', () => Promise.resolve('good'));
    await resource.load('a', () => Promise.reject(new api.ApiError('internal', 500, 'x', null, 'r-3')));
    expect(resource.value).toBe('good');
    expect(resource.problem?.requestId).toBe('r-3');
  });
  it('forgets the answer of another key', async () => {
    const resource = new Resource<string>();
    await resource.load('a', () => Promise.resolve('good'));
    await resource.load('b', () => Promise.reject(new api.ApiError('internal', 500, 'x', null, null)));
    expect(resource.value).toBeNull();
  });
  it('asks the same again on retry', async () => {
    const resource = new Resource<string>();
    const ask = vi.fn(() => Promise.resolve('good'));
    ask.mockRejectedValueOnce(new api.ApiError('unreachable', 0, 'x', null, null));
    await resource.load('a', ask);
    resource.retry();
    await vi.waitFor(() => expect(resource.value).toBe('good'));
    expect(resource.problem).toBeNull();
  });
});

it('older bars are put in front, and none comes twice', () => {
  const bar = (day: string): Bar => ({ day, open: '1', high: '1', low: '1', close: '1', adjusted_close: null, volume: null });
  const joined = api.prepend([bar('2026-01-01'), bar('2026-01-02')], [bar('2026-01-02'), bar('2026-01-03')]);
  expect(joined.map((entry) => entry.day)).toEqual(['2026-01-01', '2026-01-02', '2026-01-03']);
  expect(api.prepend([bar('2026-01-01')], [])).toHaveLength(1);
});
