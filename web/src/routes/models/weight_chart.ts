import type { RegimeShares } from '../../api/schema/models';

export const HEIGHT = 120;
/** Room for the labels: of the shares at the left, of the folds below, of a point at the other edges. */
export const LEFT = 40;
export const BOTTOM = 20;
export const EDGE = 8;

export const REGIMES = ['calm', 'turbulent'] as const;
export type Regime = (typeof REGIMES)[number];

export interface WeightPoint {
  x: number;
  y: number;
  share: number;
}

/** The weights of one member fold by fold, from none to all so that members can be compared. */
export function weightLine(weights: RegimeShares[], regime: Regime, width: number): WeightPoint[] {
  const across = Math.max(0, width - LEFT - EDGE);
  return weights.map((shares, index) => ({
    x: LEFT + (weights.length === 1 ? across / 2 : (across * index) / (weights.length - 1)),
    y: weightY(shares[regime]),
    share: shares[regime],
  }));
}

/** The height of a share, y downwards. */
export function weightY(share: number): number {
  return EDGE + (1 - share) * (HEIGHT - BOTTOM - EDGE);
}
