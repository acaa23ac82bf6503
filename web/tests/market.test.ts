import { describe, expect, it } from 'vitest';
import { heatOf } from '../src/routes/market/heat';
import { probabilityPath } from '../src/routes/market/regime_path';
import { choicesOf, queryOf } from '../src/routes/market/scenario_choices';
import { screenChoices, screenQuery, typedBounds } from '../src/routes/screener/screen_choices';
import { rowWindow } from '../src/routes/screener/window';
import { parseRoute, withChoices } from '../src/routes';

describe('the pages of the market', () => {
  it('have their addresses', () => {
    expect(parseRoute('/market')).toEqual({ name: 'market', part: 'overview' });
    expect(parseRoute('/market/scenario')).toEqual({ name: 'market', part: 'scenario' });
    expect(parseRoute('/screener')).toEqual({ name: 'screener' });
    expect(parseRoute('/market/other').name).toBe('unknown');
  });

  it('break the line of the regime where it is not known', () => {
    const day = (turbulent_probability: number | null) => ({ day: '2024-01-02', turbulent_probability, mean_log_return: null });
    const frame = { left: 0, right: 30, top: 0, bottom: 10 };
    expect(probabilityPath([day(0), day(null), day(0.5), day(1)], frame)).toBe('M0.0 10.0M20.0 5.0L30.0 0.0');
  });

  it('colour what stands out and nothing that is not known', () => {
    expect([heatOf(0.05, 0.1), heatOf(-0.1, 0.1), heatOf(0.01, 0.1), heatOf(null, 0.1), heatOf(0, 0)]).toEqual(['gain', 'loss', '', '', '']);
  });

  it('ask for a scenario as it was typed, and not for nonsense', () => {
    expect(queryOf(choicesOf(''))).toEqual({ market_change_share: -0.1, usdtry_change_share: null, horizon_sessions: 5, holdings: null });
    expect(queryOf({ market: '-7,5', usdtry: '5', sessions: '10', holdings: ' A:1 ' })).toEqual({
      market_change_share: -0.075,
      usdtry_change_share: 0.05,
      horizon_sessions: 10,
      holdings: 'A:1',
    });
    for (const change of [{ market: 'x' }, { market: '', usdtry: '' }, { sessions: '0' }, { sessions: '2,5' }, { market: '-95' }]) {
      expect(queryOf({ ...choicesOf(''), ...change })).toBeNull();
    }
  });
});

describe('the screener', () => {
  it('keeps its conditions in the address, unchanged there and back', () => {
    const choices = { q: 'ban', sector: 'Gıda', action: 'buy', skill: 'true', sort: '-rsi_14', bounds: [{ field: 'rsi_14', min: 30, max: 70 }, { field: 'change_21_share', min: null, max: -0.05 }, { field: 'close', min: 0.5, max: null }] };
    const address = withChoices('/screener', screenQuery(choices));
    expect(screenChoices(new URL(address, 'http://localhost').search)).toEqual(choices);
  });

  it('leaves out of an address what makes no sense', () => {
    const choices = screenChoices('?sort=nothing&action=short&where=rsi_14:70..30,close:abc..,nothing:1..,close:..');
    expect(choices).toEqual({ q: null, sector: null, action: null, skill: null, sort: '-composite', bounds: [] });
  });

  it('takes percent where the number is a share', () => {
    expect(typedBounds('change_21_share', '-2,5', '')).toEqual({ field: 'change_21_share', min: -0.025, max: null });
    expect(typedBounds('rsi_14', '30', '70')).toEqual({ field: 'rsi_14', min: 30, max: 70 });
    for (const [min, max] of [['', ''], ['70', '30'], ['x', '']] as const) expect(typedBounds('rsi_14', min, max)).toBeNull();
  });

  it('keeps only rows in sight of many, and all of few', () => {
    expect(rowWindow(150, 999, 360)).toEqual({ first: 0, end: 150 });
    expect(rowWindow(600, 3600, 360)).toEqual({ first: 90, end: 120 });
    expect(rowWindow(600, 21_600, 360)).toEqual({ first: 590, end: 600 });
  });
});
