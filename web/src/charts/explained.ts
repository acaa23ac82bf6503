import type { Explanation } from '../api/schema';
import { layEndToEnd, type Waterfall } from './waterfall';

/** Rows that have a name of their own; the rest is told as one. */
export const NAMED_ROWS = 10;

/**
 * The parts of an explained forecast end to end: base, the strongest features, the rest, what a line
 * does not tell (of LIME), the forecast.
 */
export function explained(explanation: Explanation): Waterfall {
  const largestFirst = [...explanation.items].sort((a, b) => Math.abs(b.contribution_share) - Math.abs(a.contribution_share));
  const rest = largestFirst.slice(NAMED_ROWS);
  return layEndToEnd(
    explanation.base_share,
    largestFirst.slice(0, NAMED_ROWS),
    rest.reduce((sum, item) => sum + item.contribution_share, 0),
    explanation.method === 'lime' ? explanation.residual_share : null,
    explanation.forecast_share,
  );
}

/** The strongest features whose values can be changed. */
export function changeable(explanation: Explanation, most: number): { feature: string; value: number }[] {
  return explanation.items.flatMap(({ feature, value }) => (value === null ? [] : [{ feature, value }])).slice(0, most);
}

/** The values that differ from those of the explanation; text that is no number changes nothing. */
export function changes(fields: { feature: string; value: number }[], typed: Record<string, number | null | undefined>): Record<string, number> {
  return Object.fromEntries(
    fields.flatMap(({ feature, value }) => {
      const wanted = typed[feature];
      return wanted === null || wanted === undefined || !Number.isFinite(wanted) || wanted === value ? [] : [[feature, wanted]];
    }),
  );
}
