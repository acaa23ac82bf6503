import type { AuditFilter } from '../../api/audit';
import { withChoices } from '../../routes';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The choices of an address; what is empty or no day chooses nothing. */
export function auditFilterOf(search: string): AuditFilter {
  const query = new URLSearchParams(search);
  const text = (name: string): string | null => query.get(name)?.trim() || null;
  const day = (name: string): string | null => {
    const value = query.get(name) ?? '';
    return DAY.test(value) ? value : null;
  };
  return { from: day('from'), to: day('to'), action: text('action'), actor: text('actor'), subject: text('subject') };
}

/** The address of the audit log with these choices. */
export function auditPath(filter: Partial<AuditFilter>): string {
  const chosen = Object.entries(filter).map(([name, value]) => [name, value === '' ? null : value] as const);
  return withChoices('/admin/audit', Object.fromEntries(chosen));
}
