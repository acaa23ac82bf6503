import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '../src/api/client';
import { patience } from '../src/api/patience.svelte';

interface Asked {
  url: string;
  init: RequestInit;
}
let asked: Asked[] = [];
let answers: Response[] = [];
const keeper = { csrfToken: vi.fn<() => string | null>(() => 'token'), lead: vi.fn(), stepUp: vi.fn(() => Promise.resolve(true)), renew: vi.fn(() => Promise.resolve(true)) };

const good = (): Response => new Response(JSON.stringify({ good: true }));
const problem = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ code, title: code, status }), { status, headers });
const header = (at: number, name: string): string | null => new Headers(asked[at]?.init.headers).get(name);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return Promise.resolve(answers.shift() ?? good());
  });
  api.keepGate(keeper);
});
afterEach(() => {
  answers = [];
  vi.clearAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a change', () => {
  it('carries the token of the session, and reading does not', async () => {
    await api.post('/x', { a: 1 });
    await api.get('/x');
    expect([header(0, 'x-csrf-token'), header(1, 'x-csrf-token')]).toEqual(['token', null]);
    expect(asked.map(({ init }) => init.credentials)).toEqual(['same-origin', 'same-origin']);
  });
  it('that brings no document back gives nothing', async () => {
    answers = [new Response(null, { status: 204 })];
    expect(await api.remove('/x')).toBeUndefined();
  });
  it('that needs a fresh code is made again once the code was given', async () => {
    answers = [problem(403, 'step_up_required')];
    expect(await api.patch('/x', { role: 'viewer' })).toEqual({ good: true });
    expect(keeper.stepUp).toHaveBeenCalledTimes(1);
    expect(asked[1]?.init.body).toBe('{"role":"viewer"}');
  });
  it('is given up when the code is not given', async () => {
    keeper.stepUp.mockResolvedValueOnce(false);
    answers = [problem(403, 'step_up_required')];
    await expect(api.post('/x', {})).rejects.toMatchObject({ code: 'step_up_required' });
    expect(asked).toHaveLength(1);
  });
  it('with an old token is made again with the new one, once', async () => {
    answers = [problem(403, 'cross_site'), problem(403, 'cross_site')];
    keeper.csrfToken.mockReturnValueOnce('old').mockReturnValueOnce('new');
    await expect(api.post('/x', {})).rejects.toMatchObject({ code: 'cross_site' });
    expect([header(0, 'x-csrf-token'), header(1, 'x-csrf-token')]).toEqual(['old', 'new']);
    expect(asked).toHaveLength(2);
  });
  it('that comes too often is not repeated, but tells when it may be', async () => {
    answers = [problem(429, 'rate_limited', { 'retry-after': '30' })];
    await expect(api.post('/x', {})).rejects.toMatchObject({ code: 'rate_limited', retryAt: Date.now() + 30_000 });
    expect(asked).toHaveLength(1);
  });
});

describe('reading too often', () => {
  it('waits as long as the server says and goes on by itself', async () => {
    answers = [problem(429, 'rate_limited', { 'retry-after': '12' })];
    const answer = api.get('/x');
    await vi.advanceTimersByTimeAsync(11_900);
    expect(asked).toHaveLength(1);
    expect(patience.until).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1200);
    expect(await answer).toEqual({ good: true });
    expect([asked.length, patience.until]).toEqual([2, null]);
  });
  it('ends when the page is left', async () => {
    answers = [problem(429, 'rate_limited', { 'retry-after': '12' })];
    const abort = new AbortController();
    const answer = api.get('/x', abort.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    abort.abort();
    expect(await answer).toBe(abort.signal.reason);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked.length, patience.until]).toEqual([1, null]);
  });
  it('is told where the wait is long or no wait is named', async () => {
    answers = [problem(429, 'rate_limited', { 'retry-after': '900' }), problem(429, 'rate_limited')];
    await expect(api.get('/x')).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(api.get('/x')).rejects.toMatchObject({ code: 'rate_limited', retryAt: null });
    expect(asked).toHaveLength(2);
  });
  it('does not go on forever', async () => {
    answers = Array.from({ length: 9 }, () => problem(429, 'rate_limited', { 'retry-after': '1' }));
    const answer = api.get('/x').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await answer).toMatchObject({ code: 'rate_limited' });
    expect(asked).toHaveLength(5);
  });
});

it('what was on its way while another tab changed the cookie is asked once more', async () => {
  answers = [problem(401, 'not_signed_in')];
  expect(await api.get('/x')).toEqual({ good: true });
  answers = [problem(401, 'not_signed_in'), problem(401, 'not_signed_in')];
  await expect(api.get('/x')).rejects.toMatchObject({ code: 'not_signed_in' });
  expect(keeper.lead).toHaveBeenCalledExactlyOnceWith('not_signed_in');
  expect(asked).toHaveLength(4);
});

it('who may not ask at all is led on', async () => {
  keeper.csrfToken.mockReturnValueOnce(null);
  for (const [status, code] of [
    [401, 'not_signed_in'],
    [403, 'second_factor_required'],
    [403, 'enrolment_required'],
  ] as const) {
    answers = [problem(status, code)];
    await expect(api.get('/x')).rejects.toMatchObject({ code });
    expect(keeper.lead).toHaveBeenLastCalledWith(code);
  }
  answers = [problem(403, 'forbidden')];
  await expect(api.get('/x')).rejects.toMatchObject({ code: 'forbidden' });
  expect(keeper.lead).toHaveBeenCalledTimes(3);
});
