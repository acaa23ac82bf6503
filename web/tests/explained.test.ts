import { afterEach, describe, expect, it, vi } from 'vitest';
import * as api from '../src/api/explanations';
import type { ExplainedFeature } from '../src/api/schema/explanations';
import { limeBars } from '../src/charts/lime_bars';
import { NAMED_ROWS, waterfall } from '../src/charts/waterfall';
import { changeable, changes } from '../src/charts/what_if';

const NO_TEXT = { tr: '', en: '' };
const item = (feature: string, contribution_share: number, over: Partial<ExplainedFeature> = {}): ExplainedFeature => ({
  feature, contribution_share, value: 1, value_text: NO_TEXT, name: NO_TEXT, text: NO_TEXT, ...over,
});

describe('the waterfall', () => {
  const parts = (forecast_share: number) => ({ base_share: 0.001, forecast_share, items: [item('rsi_14', 0.002), item('return_5', -0.006)] });
  it('adds up to the forecast', () => {
    const { rows, addsUp, difference } = waterfall(parts(-0.003));
    expect(addsUp).toBe(true);
    expect(Math.abs(difference)).toBeLessThan(1e-12);
    expect(rows.map((row) => row.kind)).toEqual(['base', 'feature', 'feature', 'total']);
  });
  it('shows the largest effect first, whatever its sign', () => {
    const { rows } = waterfall(parts(-0.003));
    expect(rows.map((row) => row.feature?.feature)).toEqual([undefined, 'return_5', 'rsi_14', undefined]);
  });
  it('names the strongest features and bundles the rest, with their number', () => {
    const items = Array.from({ length: 14 }, (_, index) => item(`f${index}`, (index % 2 === 0 ? 1 : -1) * 0.001 * (index + 1)));
    const forecast_share = items.reduce((sum, one) => sum + one.contribution_share, 0.001);
    const { rows, othersCount, addsUp } = waterfall({ base_share: 0.001, items, forecast_share });
    expect(rows.map((row) => row.kind)).toEqual(['base', ...Array<string>(NAMED_ROWS).fill('feature'), 'other', 'total']);
    expect(othersCount).toBe(4);
    expect(addsUp).toBe(true);
  });
  it('lets each bar begin where the one before it ended', () => {
    const { rows } = waterfall(parts(-0.003));
    const before = rows.slice(0, -1);
    before.slice(1).forEach((row, i) => expect(row.from).toBe(before[i]?.to));
    expect(rows.at(-1)?.from).toBe(0);
  });
  it('does not pretend to add up when it does not', () => {
    const { addsUp, difference } = waterfall(parts(0.01));
    expect(addsUp).toBe(false);
    expect(difference).toBeCloseTo(0.013, 10);
  });
  it('keeps every bar and zero inside its axis', () => {
    const { rows, low, high } = waterfall(parts(-0.003));
    for (const row of rows) {
      expect(Math.min(row.from, row.to)).toBeGreaterThanOrEqual(low);
      expect(Math.max(row.from, row.to)).toBeLessThanOrEqual(high);
    }
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThanOrEqual(0);
  });
});

describe('the bars of a line', () => {
  const items = [
    item('up', 0.006, { repeats: { selected_share: 1, deviation_share: 0.002 } }),
    item('down', -0.004, { repeats: { selected_share: 0.2, deviation_share: null } }),
  ];
  const [up, down] = limeBars({ items });
  it('lie on their side of a common zero, as long as what they add', () => {
    expect(up).toMatchObject({ from: 0.5, to: 0.875 });
    expect(down).toMatchObject({ from: 0.25, to: 0.5 });
  });
  it('have whiskers of one standard deviation about their ends, within the picture', () => {
    expect(up?.whisker?.from).toBeCloseTo(0.75, 12);
    expect(up?.whisker?.to).toBeCloseTo(1, 12);
  });
  it('have none where one run tells nothing of a spread', () => {
    expect(down?.whisker).toBeNull();
  });
});

describe('what is changed', () => {
  const items = [item('f0', 0.3, { value: 0 }), item('f1', 0.2, { value: null, value_text: null }), item('f2', 0.1, { value: 2 }), item('f3', 0.05)];
  const fields = changeable({ items }, 2);
  it('is among the strongest features that have a value', () => {
    expect(fields.map(({ feature, value }) => [feature, value])).toEqual([['f0', 0], ['f2', 2]]);
  });
  it('is only what differs and is a number', () => {
    expect(changes(fields, { f0: 3, f2: 2 })).toEqual({ f0: 3 });
    expect(changes(fields, { f0: Number.NaN, f2: undefined })).toEqual({});
  });
});

describe('asking for an explanation', () => {
  afterEach(() => vi.unstubAllGlobals());
  it('of a forecast without one gives none, and other problems stay problems', async () => {
    const problem = (status: number): Response => new Response(JSON.stringify({ code: 'explanation_not_kept', status }), { status });
    vi.stubGlobal('fetch', () => Promise.resolve(problem(404)));
    expect(await api.explanation('SKRG1', '5', 'shap')).toBeNull();
    vi.stubGlobal('fetch', () => Promise.resolve(problem(500)));
    await expect(api.explanation('SKRG1', '5', 'lime')).rejects.toMatchObject({ status: 500 });
  });
  it('with other values sends them as JSON', async () => {
    let sent: RequestInit = {};
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
      sent = init;
      return Promise.resolve(new Response('{}'));
    });
    await api.whatIf('SKRG1', 'eod', { rsi_14: 30 });
    expect(sent.method).toBe('POST');
    expect(new Headers(sent.headers).get('content-type')).toBe('application/json');
    expect(JSON.parse(sent.body as string)).toEqual({ symbol: 'SKRG1', horizon: 'eod', changes: { rsi_14: 30 } });
  });
});
