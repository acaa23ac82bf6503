import type { ExplainedFeature, Explanation } from '../api/schema/explanations';

export interface LimeBar {
  item: ExplainedFeature;
  /** The bar, from the middle of the picture to one of its sides: shares of the width. */
  from: number;
  to: number;
  /** One standard deviation over the runs to either side of the bar's end; null where it is not known. */
  whisker: { from: number; to: number } | null;
}

/** What a line adds for each of its features, drawn from a common zero in the middle of the picture. */
export function limeBars({ items }: Pick<Explanation, 'items'>): LimeBar[] {
  const spread = (item: ExplainedFeature): number | null => item.repeats?.deviation_share ?? null;
  const most = Math.max(1e-12, ...items.map((item) => Math.abs(item.contribution_share) + (spread(item) ?? 0)));
  const at = (amount: number): number => 0.5 + (0.5 * amount) / most;
  return items.map((item) => {
    const [amount, deviation] = [item.contribution_share, spread(item)];
    return {
      item,
      from: Math.min(0.5, at(amount)),
      to: Math.max(0.5, at(amount)),
      whisker: deviation === null ? null : { from: at(amount - deviation), to: at(amount + deviation) },
    };
  });
}
