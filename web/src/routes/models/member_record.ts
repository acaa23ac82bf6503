import type { Estimate } from '../../api/schema';

/** What the comparison of a member's error with that of the ensemble says of the member. */
export type Verdict = 'better' | 'worse' | 'same' | 'unknown';

/** `lossAbove` is the member's loss less that of the ensemble: only an interval without zero tells them apart. */
export function verdict(lossAbove: Estimate | null): Verdict {
  if (lossAbove === null) return 'unknown';
  if (lossAbove.low > 0) return 'worse';
  return lossAbove.high < 0 ? 'better' : 'same';
}

/** The height of the picture, in pixels. */
export const HEIGHT = 16;
/** A bar and the gap after it, in pixels; many folds make them narrower. */
const PITCH_MAX = 8;
const WIDTH_MAX = 120;
/** A weight of zero is still seen to be there. */
const BAR_MIN = 1;

export interface WeightBar {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** One bar a fold, of its weight between nothing and all, so that members can be compared. */
export function weightBars(weights: number[]): { bars: WeightBar[]; width: number } {
  const pitch = Math.min(PITCH_MAX, WIDTH_MAX / Math.max(1, weights.length));
  const bars = weights.map((weight, index) => {
    const height = Math.max(BAR_MIN, Math.min(1, weight) * HEIGHT);
    return { x: index * pitch, y: HEIGHT - height, width: pitch * 0.75, height };
  });
  return { bars, width: pitch * weights.length };
}
