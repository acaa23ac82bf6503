import { describe, expect, it } from 'vitest';
import type { ExperimentDay } from '../src/api/schema/experiments';
import { bandPath, effectAxis, linePath, placesOf, pointsOf } from '../src/routes/experiments/effect_path';
import { axisOf } from '../src/charts/axis';

const day = (days_count: number, half: number | null): ExperimentDay => ({
  day: '2026-11-20',
  days_count,
  challengers: [{ version: 'new', improvement: half === null ? null : { value: 0.02, low: 0.02 - half, high: 0.02 + half, level: 0.95 } }],
});
const path = [day(1, null), day(2, 5), day(3, 0.04)];

describe('the way of an experiment', () => {
  it('begins where there is an interval, and is that of one challenger', () => {
    expect(pointsOf(path, 'new').map(({ days }) => days)).toEqual([2, 3]);
    expect(pointsOf(path, 'other')).toEqual([]);
  });
  it('has zero and the last interval on its axis, and cuts the wide first ones', () => {
    const axis = effectAxis(pointsOf(path, 'new'), 0);
    expect(axis.low).toBeLessThan(-0.02);
    expect(axis.high).toBeGreaterThan(0.06);
    expect(axis.high).toBeLessThan(1);
    expect(axis.low).toBeLessThan(0);
  });
  it('is drawn as a line inside a closed area', () => {
    const points = pointsOf(path, 'new');
    const places = placesOf(axisOf(0, 3, false, 3, true), effectAxis(points, 0), 400);
    expect(linePath(points, places)).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/);
    expect(bandPath(points, places)).toMatch(/^M.*Z$/);
    expect(bandPath([], places)).toBe('');
  });
});
