import type { Finding } from '../../api/schema/quality';

/** What became of the row that a finding is about. */
export type RowState = 'quarantined' | 'unverifiable' | 'absent' | 'series' | 'used';

export function rowState(finding: Pick<Finding, 'quarantined' | 'unverifiable' | 'opened_at' | 'day'>): RowState {
  if (finding.quarantined) return 'quarantined';
  if (finding.unverifiable) return 'unverifiable';
  if (finding.opened_at !== null) return 'used';
  return finding.day === null ? 'series' : 'absent';
}

/**
 * The command that decides the other way about the row; null where there is no row, or where a
 * decision would change nothing because the row counts for nothing anyway.
 */
export function decisionCommand(finding: Pick<Finding, 'id' | 'quarantined' | 'unverifiable' | 'opened_at'>): string | null {
  if (finding.opened_at === null || finding.unverifiable) return null;
  return `bist validate ${finding.quarantined ? 'accept' : 'reject'} ${finding.id} --reason "…"`;
}
