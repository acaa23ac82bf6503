import type { Day } from '../../api/schema/vocabulary';
import type { FreshnessRow } from '../../api/schema/quality';

export interface FreshnessSummary {
  seriesCount: number;
  /** Series whose newest bar is of the last session that has ended. */
  freshCount: number;
  newestDay: Day | null;
}

/** Whether a series lacks a session that is due, in the sessions shown or after its newest bar. */
export function isBehind(row: FreshnessRow): boolean {
  return row.lag_sessions !== 0 || row.cells.some((cell) => cell === 'missing' || cell === 'quarantined');
}

export function freshnessSummary(rows: FreshnessRow[]): FreshnessSummary {
  let newestDay: Day | null = null;
  for (const { newest_day: day } of rows) if (day !== null && (newestDay === null || day > newestDay)) newestDay = day;
  return { seriesCount: rows.length, freshCount: rows.filter((row) => row.lag_sessions === 0).length, newestDay };
}
