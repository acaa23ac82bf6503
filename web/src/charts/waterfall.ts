import type { Contributions } from '../api/schema';

/** Rounding of the API's numbers may leave this much; anything more is a broken explanation. */
const SUM_TOLERANCE = 1e-6;

export interface WaterfallRow {
  kind: 'base' | 'feature' | 'other' | 'total';
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
  const rows: WaterfallRow[] = [];
  let reached = 0;
  const step = (kind: WaterfallRow['kind'], feature: string | null, value: number | null, amount: number): void => {
    rows.push({ kind, feature, value, amount, from: reached, to: reached + amount });
    reached += amount;
  };
  step('base', null, null, contributions.base_share);
  const largestFirst = [...contributions.items].sort(
    (a, b) => Math.abs(b.contribution_share) - Math.abs(a.contribution_share),
  );
  for (const item of largestFirst) step('feature', item.feature, item.value, item.contribution_share);
  step('other', null, null, contributions.other_share);
  const total = contributions.total_share;
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
