import type { ReliabilityBin } from '../api/schema/models';

/** The part of 0..1 that a reliability diagram shows, the same on both axes, and its ticks. */
export interface Frame {
  from: number;
  to: number;
  ticks: number[];
}

/** Distances between ticks, the narrowest first, and how many of them are too many. */
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2];
const INTERVALS_MAX = 6;

/**
 * A frame around every point. Probabilities of a rise lie near one half: on the whole of 0..1 nobody
 * would see whether they lie on the diagonal.
 */
export function frameOf(bins: ReliabilityBin[]): Frame {
  const values = bins.flatMap((bin) => [bin.mean_forecast, bin.observed_share]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const whole = (bounds: [number, number], step: number): [number, number] => [Math.floor(bounds[0] / step + 1e-9), Math.ceil(bounds[1] / step - 1e-9)];
  const fits = (step: number): boolean => {
    const [first, last] = whole([low, high], step);
    return last - first <= INTERVALS_MAX;
  };
  const step = STEPS.find(fits) ?? 0.2;
  let [first, last] = whole([low, high], step);
  // A single point still gets a frame.
  if (first === last) [first, last] = [Math.max(0, first - 1), Math.min(Math.round(1 / step), last + 1)];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toFixed(2)));
  return { from: ticks[0] ?? 0, to: ticks.at(-1) ?? 1, ticks };
}

/** The radius of the largest bin's point, and of the smallest that is still seen, in pixels. */
const RADIUS_MAX = 6;
const RADIUS_MIN = 2.5;

export interface ReliabilityPoint {
  x: number;
  y: number;
  radius: number;
  bin: ReliabilityBin;
}

/** The points in a square of `side` pixels, y downwards; their areas are as the counts, that of `most` the largest. */
export function reliabilityPoints(
  bins: ReliabilityBin[],
  frame: Frame,
  side: number,
  most = Math.max(...bins.map((bin) => bin.count)),
): ReliabilityPoint[] {
  const at = (share: number): number => (side * (share - frame.from)) / (frame.to - frame.from);
  return bins.map((bin) => ({
    x: at(bin.mean_forecast),
    y: side - at(bin.observed_share),
    radius: Math.max(RADIUS_MIN, RADIUS_MAX * Math.sqrt(bin.count / most)),
    bin,
  }));
}
