import type { Contribution, Contributions } from '../api/schema';

/** Rounding of the API's numbers may leave this much; anything more is a broken explanation. */
const SUM_TOLERANCE = 1e-6;

export interface WaterfallRow {
  kind: 'base' | 'feature' | 'other' | 'residual' | 'total';
  feature: string | null;
  value: number | null;
  amount: number;
  /** The bar, as it stands on the shared axis. */
  from: number;
  to: number;
}

export interface Waterfall {
  rows: WaterfallRow[];
  low: number;
  high: number;
  /** What the parts miss of the total; an explanation that does not add up is not shown as one. */
  difference: number;
  addsUp: boolean;
}

/** Lays the parts of a forecast end to end: base, the largest effects, the rest, the forecast. */
export function waterfall(contributions: Contributions): Waterfall {
  const largestFirst = [...contributions.items].sort(
    (a, b) => Math.abs(b.contribution_share) - Math.abs(a.contribution_share),
  );
  return layEndToEnd(contributions.base_share, largestFirst, contributions.other_share, null, contributions.total_share);
}

/** The same of parts in the order in which they are to stand; `residual` is what they may leave, where something may. */
export function layEndToEnd(
  base: number,
  items: Pick<Contribution, 'feature' | 'value' | 'contribution_share'>[],
  other: number,
  residual: number | null,
  total: number,
): Waterfall {
  const rows: WaterfallRow[] = [];
  let reached = 0;
  const step = (kind: WaterfallRow['kind'], feature: string | null, value: number | null, amount: number): void => {
    rows.push({ kind, feature, value, amount, from: reached, to: reached + amount });
    reached += amount;
  };
  step('base', null, null, base);
  for (const item of items) step('feature', item.feature, item.value, item.contribution_share);
  step('other', null, null, other);
  if (residual !== null) step('residual', null, null, residual);
  const difference = total - reached;
  rows.push({ kind: 'total', feature: null, value: null, amount: total, from: 0, to: total });
  const edges = rows.flatMap((row) => [row.from, row.to]);
  return {
    rows,
    low: Math.min(0, ...edges),
    high: Math.max(0, ...edges),
    difference,
    addsUp: Math.abs(difference) <= SUM_TOLERANCE,
  };
}
