import type { ExplainedFeature, Explanation } from '../api/schema/explanations';

/** Rows that have a name of their own; the rest is told as one. */
export const NAMED_ROWS = 10;
/** Rounding of the API's numbers may leave this much; anything more is a broken explanation. */
const SUM_TOLERANCE = 1e-6;

export interface WaterfallRow {
  kind: 'base' | 'feature' | 'other' | 'total';
  feature: ExplainedFeature | null;
  amount: number;
  /** The bar, as it stands on the shared axis. */
  from: number;
  to: number;
}

export interface Waterfall {
  rows: WaterfallRow[];
  low: number;
  high: number;
  /** How many features are told as one. */
  othersCount: number;
  /** What the parts miss of the total; an explanation that does not add up is not shown as one. */
  difference: number;
  addsUp: boolean;
}

/** Lays the parts of a forecast end to end: base, the largest effects, the rest, the forecast. */
export function waterfall({ base_share, items, forecast_share }: Pick<Explanation, 'base_share' | 'items' | 'forecast_share'>): Waterfall {
  const largestFirst = [...items].sort((a, b) => Math.abs(b.contribution_share) - Math.abs(a.contribution_share));
  const others = largestFirst.slice(NAMED_ROWS);
  const rows: WaterfallRow[] = [];
  let reached = 0;
  const step = (kind: WaterfallRow['kind'], feature: ExplainedFeature | null, amount: number): void => {
    rows.push({ kind, feature, amount, from: reached, to: reached + amount });
    reached += amount;
  };
  step('base', null, base_share);
  for (const item of largestFirst.slice(0, NAMED_ROWS)) step('feature', item, item.contribution_share);
  if (others.length > 0) step('other', null, others.reduce((sum, item) => sum + item.contribution_share, 0));
  const difference = forecast_share - reached;
  rows.push({ kind: 'total', feature: null, amount: forecast_share, from: 0, to: forecast_share });
  const edges = rows.flatMap((row) => [row.from, row.to]);
  return {
    rows,
    low: Math.min(0, ...edges),
    high: Math.max(0, ...edges),
    othersCount: others.length,
    difference,
    addsUp: Math.abs(difference) <= SUM_TOLERANCE,
  };
}
