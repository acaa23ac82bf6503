import { describe, expect, it } from 'vitest';
import { axisOf, choiceAxis, roundTicks, shareOf, tickDigits, valueAt, valueAxis } from '../src/charts/axis';

describe('ticks', () => {
  it('are round and not too many', () => {
    expect(roundTicks(0, 1, 5)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(roundTicks(0.011, 0.034, 5)).toEqual([0.015, 0.02, 0.025, 0.03]);
    expect(roundTicks(-3, 207, 8)).toEqual([0, 50, 100, 150, 200]);
    for (const [low, high] of [[-1e-9, 1e-9], [3, 3.0001], [-5e8, 7e8]] as const) {
      const ticks = roundTicks(low, high, 6);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThanOrEqual(6);
      expect(ticks.every((tick) => tick >= low && tick <= high)).toBe(true);
    }
  });
  it('are written with as many decimals as the one that needs most', () => {
    const digits = (ticks: number[]): number => tickDigits({ low: 0, high: 1, log: false, ticks });
    expect(digits([0.128, 0.13, 0.132])).toBe(3);
    expect(digits([0, 50, 100])).toBe(0);
    expect(digits([0, 2.5e-7, 5e-7])).toBe(8);
  });
  it('of whole numbers are whole', () => {
    expect(roundTicks(1, 3, 8, true)).toEqual([1, 2, 3]);
    expect(roundTicks(0, 12, 8, true).every(Number.isInteger)).toBe(true);
  });
  it('of a single value are that value', () => {
    expect(roundTicks(7, 7, 5)).toEqual([7]);
    expect(axisOf(0.5, 0.5, true, 5).ticks).toEqual([0.5]);
  });
  it('of an axis by orders of magnitude are powers of ten, or its ends', () => {
    expect(axisOf(1e-5, 1e-1, true, 6).ticks).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 1e-1]);
    expect(axisOf(0.02, 0.3, true, 6).ticks).toEqual([0.02, 0.3]);
    expect(axisOf(1e-8, 1, true, 3).ticks.length).toBeLessThanOrEqual(3);
  });
});

describe('a place on an axis', () => {
  it('and its value are each other’s inverse', () => {
    for (const axis of [axisOf(-2, 6, false, 5), axisOf(1e-4, 10, true, 5), choiceAxis(3)]) {
      for (const share of [0, 0.25, 0.8, 1]) expect(shareOf(axis, valueAt(axis, share))).toBeCloseTo(share, 12);
    }
  });
  it('by orders of magnitude lies halfway at the geometric mean', () => {
    expect(shareOf(axisOf(1e-4, 1, true, 5), 1e-2)).toBeCloseTo(0.5, 12);
  });
  it('of a choice is the middle of its part', () => {
    expect([0, 1].map((choice) => shareOf(choiceAxis(2), choice))).toEqual([0.25, 0.75]);
  });
  it('of a single value is the middle', () => {
    expect(shareOf(axisOf(4, 4, false, 5), 4)).toBe(0.5);
  });
});

describe('the axis of values', () => {
  it('is not stretched by a few that lie far outside', () => {
    const values = Array.from({ length: 40 }, (_, index) => 1 + index / 100);
    const axis = valueAxis([...values, 1e6], 5);
    expect(axis.low).toBeLessThan(1);
    expect(axis.high).toBeGreaterThan(1.39);
    expect(axis.high).toBeLessThan(4);
  });
  it('holds every value where none lies far outside', () => {
    const axis = valueAxis([0.01, 0.02, 0.035], 5);
    expect(axis.low).toBeLessThan(0.01);
    expect(axis.high).toBeGreaterThan(0.035);
  });
  it('of no value has nothing to write', () => {
    expect(valueAxis([], 5).ticks).toEqual([]);
    expect(valueAxis([Number.NaN], 5).ticks).toEqual([]);
  });
  it('of equal values, and of none, still has an extent', () => {
    for (const values of [[3, 3, 3], [], [0]]) expect(valueAxis(values, 5).high).toBeGreaterThan(valueAxis(values, 5).low);
  });
});
