import type { Estimate } from '../api/schema/vocabulary';

/** A value and the interval in which the truth may lie, of whatever level. */
export type Interval = Pick<Estimate, 'value' | 'low' | 'high'>;

/** What an interval says of the value that means "nothing known". */
export type Side = 'above' | 'below' | 'not_told_apart' | 'unknown';

/** Only an interval without `neutral` tells the truth apart from it. */
export function sideOf(estimate: Interval | null, neutral = 0): Side {
  if (estimate === null) return 'unknown';
  if (estimate.low > neutral) return 'above';
  return estimate.high < neutral ? 'below' : 'not_told_apart';
}

/** The values at the two edges of a forest plot, and where in between nothing is known. */
export interface Scale {
  low: number;
  high: number;
  neutral: number;
}

/** An interval that reaches further than this many times the usual one is cut off. */
const REACH_MAX = 3;
/** Room at either edge, as a share of the whole. */
const MARGIN = 0.05;

/**
 * A scale on which most of `estimates` can be read: one that reaches far further than the others
 * does not press them into a line; it is cut off instead.
 */
export function forestScale(estimates: (Interval | null)[], neutral = 0): Scale {
  const known = estimates.filter((estimate) => estimate !== null);
  const reaches = known.map(({ low, high }) => Math.max(Math.abs(low - neutral), Math.abs(high - neutral))).sort((a, b) => a - b);
  const usual = reaches[Math.floor((reaches.length - 1) / 2)] ?? 0;
  const most = usual * REACH_MAX;
  const low = Math.max(neutral - most, Math.min(neutral, ...known.map((estimate) => estimate.low)));
  const high = Math.min(neutral + most, Math.max(neutral, ...known.map((estimate) => estimate.high)));
  const margin = Math.max((high - low) * MARGIN, Number.EPSILON);
  return { low: low - margin, high: high + margin, neutral };
}

/** Where a value stands between the edges, 0..1, and over which of them it was cut off. */
export function placeOn(scale: Scale, value: number): { share: number; beyond: 'low' | 'high' | null } {
  const share = (value - scale.low) / (scale.high - scale.low);
  return { share: Math.min(1, Math.max(0, share)), beyond: share < 0 ? 'low' : share > 1 ? 'high' : null };
}
