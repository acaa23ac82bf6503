import type { Portfolio, Position } from '../../api/schema/trading';

/** The portfolio that the address names, otherwise the first one that is open, otherwise the first; null where there is none. */
export function chosenOf<P extends Pick<Portfolio, 'id' | 'closed_at'>>(portfolios: P[], wanted: string | null): P | null {
  return portfolios.find(({ id }) => id === wanted) ?? portfolios.find(({ closed_at: closedAt }) => closedAt === null) ?? portfolios[0] ?? null;
}

/** The symbol of the largest position by its weight; null where no weight is known. */
export function largestOf(positions: Pick<Position, 'symbol' | 'value_share'>[]): string | null {
  let [largest, most] = [null as string | null, -Infinity];
  for (const { symbol, value_share: share } of positions) {
    if (share !== null && share > most) [largest, most] = [symbol, share];
  }
  return largest;
}
