import { describe, expect, it } from 'vitest';
import type { Bar } from '../src/api/schema/market';
import type { Forecast } from '../src/api/schema/signals';
import { ema, rsi } from '../src/charts/indicators';
import { bandPoints, canAdjust, candles, isDated, isDrawable } from '../src/charts/prices';

describe('the exponential average', () => {
  it('starts with the mean of the first values and weighs new ones by 2 / (n + 1)', () => {
    expect(ema([2, 4, 6, 8, 12], 3)).toEqual([null, null, 4, 6, 9]);
  });
  it('is unknown where there are too few values', () => {
    expect(ema([1, 2], 3)).toEqual([null, null]);
    expect(ema([], 20)).toEqual([]);
  });
  it('of a constant is the constant', () => {
    expect(ema([5, 5, 5, 5], 2).slice(1)).toEqual([5, 5, 5]);
  });
});

describe("Wilder's relative strength", () => {
  // The worked example that the literature repeats: 14 changes, then the smoothing.
  const CLOSES = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328, 45.614,
    46.282, 46.282, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439,
  ];
  it('agrees with the worked example', () => {
    const values = rsi(CLOSES, 14);
    expect(values.slice(0, 14)).toEqual(new Array(14).fill(null));
    const known = values.slice(14).map((value) => Number(value?.toFixed(2)));
    expect(known).toEqual([70.53, 66.32, 66.55, 69.41, 66.36, 57.97]);
  });
  it('is 100 when prices only rise and 0 when they only fall', () => {
    expect(rsi([1, 2, 3, 4], 2).slice(2)).toEqual([100, 100]);
    expect(rsi([4, 3, 2, 1], 2).slice(2)).toEqual([0, 0]);
  });
  it('of a price that does not move is in the middle', () => {
    expect(rsi([3, 3, 3, 3], 2).slice(2)).toEqual([50, 50]);
  });
});

describe('candles', () => {
  const bar = (day: string, close: string, adjusted: number | null): Bar => ({
    day,
    open: close,
    high: close,
    low: close,
    close,
    adjusted_close: adjusted,
    volume: null,
  });
  it('that are adjusted end at the price that was traded', () => {
    const rows = candles([bar('2026-11-19', '100.00', 45), bar('2026-11-20', '50.00', 45)], true);
    expect(rows.map((row) => row.close)).toEqual([50, 50]);
  });
  it('that are not adjusted are the prices as they were', () => {
    const rows = candles([bar('2026-11-19', '100.00', 45), bar('2026-11-20', '50.00', 45)], false);
    expect(rows.map((row) => row.close)).toEqual([100, 50]);
  });
  it('cannot be adjusted where an adjusted close is missing or not positive, and need not be where all agree', () => {
    expect(canAdjust([bar('a', '100.00', 45), bar('b', '50.00', 50)])).toBe(true);
    expect(canAdjust([bar('a', '100.00', null), bar('b', '50.00', 50)])).toBe(false);
    expect(canAdjust([bar('a', '100.00', -3), bar('b', '50.00', 50)])).toBe(false);
    expect(canAdjust([bar('a', '100.00', 100), bar('b', '50.00', 50)])).toBe(false);
  });
});

describe('the forecast band', () => {
  const forecast = (days: (string | null)[]): Forecast => ({
    symbol: 'SKRG1',
    origin: 'sample',
    model_version: 'm',
    made_at: '2026-11-20T18:00:00Z',
    as_of: '2026-11-20',
    last_close: '100.00',
    horizon: '5',
    expected_return_share: 0,
    probability_up: 0.5,
    volatility_share: null,
    barriers: null,
    steps: days.map((day, i) => ({
      session: i + 1,
      day,
      median: '101.00',
      bands: [
        { coverage: 0.5, low: '99.00', high: '103.00' },
        { coverage: 0.8, low: '97.00', high: '105.00' },
      ],
    })),
  });
  it('starts at the last close and lists the widest band first', () => {
    const points = bandPoints(forecast(['2026-11-23', '2026-11-24']));
    expect(points[0]).toMatchObject({ time: '2026-11-20', median: 100, bands: [{ low: 100, high: 100 }, { low: 100, high: 100 }] });
    expect(points[1]).toMatchObject({ time: '2026-11-23', median: 101, bands: [{ low: 97, high: 105 }, { low: 99, high: 103 }] });
  });
  it('without dates stands on the weekdays that follow, and says that it is not dated', () => {
    const undated = forecast([null, null]);
    expect(bandPoints(undated).map((point) => point.time)).toEqual(['2026-11-20', '2026-11-23', '2026-11-24']);
    expect(isDated(undated)).toBe(false);
    expect(isDated(forecast(['2026-11-23']))).toBe(true);
  });
  it('within a session is one point, in the column of its day', () => {
    const hour: Forecast = { ...forecast(['2026-11-20']), horizon: '1h', as_of_time: '14:00' };
    expect(bandPoints(hour)).toMatchObject([{ time: '2026-11-20', median: 101, bands: [{ low: 97, high: 105 }, { low: 99, high: 103 }] }]);
  });
  it('within a session stands beside daily candles only when its session is that of the last or the next one', () => {
    const day: Forecast = { ...forecast(['2026-11-20']), horizon: 'eod', as_of_time: '14:00' };
    // A holiday of nine days may lie between two sessions.
    for (const [newest, is] of [['2026-11-20', true], ['2026-11-19', true], ['2026-11-10', true], ['2026-11-09', false], ['2026-11-23', false]] as const) {
      expect(isDrawable(day, newest), newest).toBe(is);
    }
    expect(isDrawable(forecast(['2026-11-23']), '2024-01-02')).toBe(true);
  });
});
