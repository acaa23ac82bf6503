import { afterEach, describe, expect, it, vi } from 'vitest';
import * as api from '../src/api/explanations';
import type { Explanation } from '../src/api/schema';
import { changeable, changes, explained, NAMED_ROWS } from '../src/charts/explained';

function explanation(shares: number[], over: Partial<Explanation> = {}): Explanation {
  const base = 0.001;
  return {
    symbol: 'SKRG1', origin: 'sample', model_version: 'm', as_of: '2026-11-20', horizon: '5', method: 'shap', base_share: base,
    forecast_share: base + shares.reduce((sum, share) => sum + share, 0), residual_share: 0, members: [], reasons: { tr: '', en: '' }, quality: null,
    items: shares.map((share, index) => ({ feature: `f${index}`, value: index, contribution_share: share, name: { tr: '', en: '' }, text: { tr: '', en: '' } })),
    ...over,
  };
}

describe('an explained forecast', () => {
  it('names the strongest features, bundles the rest and adds up', () => {
    const fall = explained(explanation(Array.from({ length: 14 }, (_, index) => (index % 2 === 0 ? 1 : -1) * 0.001 * (index + 1))));
    expect(fall.rows.map((row) => row.kind)).toEqual(['base', ...Array<string>(NAMED_ROWS).fill('feature'), 'other', 'total']);
    expect(fall.rows[1]?.feature).toBe('f13');
    expect(fall.addsUp).toBe(true);
  });
  it('by a line shows what the line does not tell', () => {
    const shares = [0.004, -0.001];
    const whole = explanation(shares, { method: 'lime', residual_share: 0.002, forecast_share: 0.006 });
    const fall = explained(whole);
    expect(fall.rows.find((row) => row.kind === 'residual')?.amount).toBe(0.002);
    expect(fall.addsUp).toBe(true);
    expect(explained(explanation(shares, { forecast_share: 0.006 })).addsUp).toBe(false);
  });
});

describe('what is changed', () => {
  const fields = changeable(explanation([0.3, 0.2, 0.1]), 2);
  it('is among the strongest features that have a value', () => {
    expect(fields).toEqual([{ feature: 'f0', value: 0 }, { feature: 'f1', value: 1 }]);
    const missing = explanation([0.3, 0.2]);
    expect(changeable({ ...missing, items: missing.items.map((item) => ({ ...item, value: null })) }, 2)).toEqual([]);
  });
  it('is only what differs and is a number', () => {
    expect(changes(fields, { f0: 3, f1: 1 })).toEqual({ f0: 3 });
    expect(changes(fields, { f0: Number.NaN, f1: undefined })).toEqual({});
  });
});

describe('asking for an explanation', () => {
  afterEach(() => vi.unstubAllGlobals());
  it('of a forecast without one gives none, and other problems stay problems', async () => {
    const problem = (status: number): Response => new Response(JSON.stringify({ code: 'explanation_not_kept', status }), { status });
    vi.stubGlobal('fetch', () => Promise.resolve(problem(404)));
    expect(await api.explanation('SKRG1', 5, 'shap')).toBeNull();
    vi.stubGlobal('fetch', () => Promise.resolve(problem(500)));
    await expect(api.explanation('SKRG1', 5, 'lime')).rejects.toMatchObject({ status: 500 });
  });
  it('with other values sends them as JSON', async () => {
    let sent: RequestInit = {};
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
      sent = init;
      return Promise.resolve(new Response('{}'));
    });
    await api.whatIf('SKRG1', 20, { rsi_14: 30 });
    expect(sent.method).toBe('POST');
    expect(new Headers(sent.headers).get('content-type')).toBe('application/json');
    expect(JSON.parse(sent.body as string)).toEqual({ symbol: 'SKRG1', horizon: '20', changes: { rsi_14: 30 } });
  });
});
