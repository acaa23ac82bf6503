import { describe, expect, it } from 'vitest';
import { forestScale, placeOn, sideOf } from '../src/charts/forest';
import { frameOf, reliabilityPoints } from '../src/charts/reliability';
import { proofWords } from '../src/i18n/proof_words';

const between = (low: number, high: number) => ({ value: (low + high) / 2, low, high, level: 0.95 });
const bin = (said: number, came: number, count = 10) => ({ low: said, high: said, count, mean_forecast: said, observed_share: came });

describe('an interval', () => {
  it('is told apart from nothing only when it does not hold it', () => {
    expect(sideOf(between(1e-6, 3e-6))).toBe('above');
    expect(sideOf(between(-3e-6, -1e-6))).toBe('below');
    expect(sideOf(between(-1e-6, 3e-6))).toBe('not_told_apart');
    expect(sideOf(between(0, 3e-6))).toBe('not_told_apart');
    expect(sideOf(between(0, 0))).toBe('not_told_apart');
  });
  it('is set against the value that it is given', () => {
    expect(sideOf(between(0.78, 0.82), 0.8)).toBe('not_told_apart');
    expect(sideOf(between(0.7, 0.79), 0.8)).toBe('below');
  });
  it('that cannot be computed is not called equal', () => {
    expect(sideOf(null)).toBe('unknown');
  });
  it.each(['probability', 'volatility', 'barriers'] as const)('of the gain of %s has words of its own in both languages', (kind) => {
    const [tr, en] = (['tr', 'en'] as const).map((language) => {
      const { volatility, ...gains } = proofWords(language).gains;
      return kind === 'volatility' ? volatility(false) : gains[kind];
    });
    expect(new Set([...Object.values(tr ?? {}), ...Object.values(en ?? {})]).size).toBe(8);
  });
});

describe('the scale of a forest plot', () => {
  it('holds every interval and the neutral value', () => {
    const scale = forestScale([between(0.1, 0.2), between(0.05, 0.3)]);
    for (const value of [0, 0.05, 0.3]) expect(placeOn(scale, value).beyond, String(value)).toBeNull();
    expect(scale.neutral).toBe(0);
  });
  it('is not ruled by one interval that reaches far beyond the others', () => {
    const scale = forestScale([between(-1, 1), between(-1.5, 0.5), between(-0.5, 1), between(80, 100)]);
    expect(placeOn(scale, 90)).toEqual({ share: 1, beyond: 'high' });
    expect(placeOn(scale, 1).beyond).toBeNull();
    expect(placeOn(scale, 1).share - placeOn(scale, -1).share).toBeGreaterThan(0.3);
  });
  it('tells over which edge a value was cut off', () => {
    const scale = forestScale([between(-1, 1), between(-1, 1), between(-90, -80)]);
    expect(placeOn(scale, -80)).toEqual({ share: 0, beyond: 'low' });
  });
  it('leaves out what is unknown, and stands when nothing is known', () => {
    expect(forestScale([null, between(-1, 1)])).toEqual(forestScale([between(-1, 1)]));
    expect(placeOn(forestScale([null]), 0).share).toBeCloseTo(0.5);
    expect(placeOn(forestScale([between(0, 0)]), 0).share).toBeCloseTo(0.5);
  });
  it('puts the neutral value at the edge when everything lies on one side', () => {
    expect(placeOn(forestScale([between(1, 2)]), 0).share).toBeLessThan(0.1);
  });
});

describe('the frame of a reliability diagram', () => {
  it('holds every point, both ways, and few ticks', () => {
    const frame = frameOf([bin(0.38, 0.526), bin(0.62, 0.45)]);
    expect(frame.from).toBeLessThanOrEqual(0.38);
    expect(frame.to).toBeGreaterThanOrEqual(0.62);
    expect(frame.ticks.length).toBeLessThanOrEqual(7);
    expect(frame.ticks).toEqual([0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65]);
  });
  it('is the whole when the points are everywhere', () => {
    expect(frameOf([bin(0, 0), bin(1, 1)])).toMatchObject({ from: 0, to: 1 });
  });
  it('exists for a single point, inside 0..1', () => {
    for (const share of [0, 0.5, 1]) {
      const frame = frameOf([bin(share, share)]);
      expect(frame.to).toBeGreaterThan(frame.from);
      expect(frame.from).toBeGreaterThanOrEqual(0);
      expect(frame.to).toBeLessThanOrEqual(1);
    }
  });
});

describe('the points of a reliability diagram', () => {
  const frame = { from: 0.4, to: 0.6, ticks: [] };
  it('lie on the diagonal where what was said came true, and above it where more came', () => {
    const [even, more] = reliabilityPoints([bin(0.5, 0.5), bin(0.45, 0.55)], frame, 100);
    expect(even?.x).toBeCloseTo(50);
    expect(even?.y).toBeCloseTo(50);
    expect(100 - (more?.y ?? 0)).toBeGreaterThan(more?.x ?? 100);
  });
  it('have areas as their counts, and are always seen', () => {
    const [large, quarter, tiny] = reliabilityPoints([bin(0.5, 0.5, 400), bin(0.45, 0.5, 100), bin(0.55, 0.5, 1)], frame, 100);
    expect((large?.radius ?? 0) / (quarter?.radius ?? 1)).toBeCloseTo(2);
    expect(tiny?.radius).toBeGreaterThan(2);
  });
});
