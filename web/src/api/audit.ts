import { get, PAGE_ROWS, path } from './client';
import type { AuditRecord, AuditVerification } from './schema/access';
import type { Day, Page } from './schema/vocabulary';

/** Which records are wanted; null asks about nothing. The days are those of the exchange. */
export interface AuditFilter {
  from: Day | null;
  to: Day | null;
  action: string | null;
  actor: string | null;
  subject: string | null;
}

/** Records are read one by one, so they come in short pages. */
const RECORDS_PER_PAGE = 50;
/** More than these are not put into one file. */
export const EXPORTED_MAX = 100_000;

/** The newest records, or those before `cursor`. */
export function auditRecords(filter: AuditFilter, cursor: string | null, signal?: AbortSignal, limit = RECORDS_PER_PAGE): Promise<Page<AuditRecord>> {
  return get<Page<AuditRecord>>(path('/audit', { ...filter, limit, cursor }), signal);
}

/** All records that are wanted, the newest first; `told` hears how many are there as they come. */
export async function allAuditRecords(filter: AuditFilter, told: (count: number) => void): Promise<AuditRecord[]> {
  const items: AuditRecord[] = [];
  let next: string | null = null;
  do {
    const page: Page<AuditRecord> = await auditRecords(filter, next, undefined, PAGE_ROWS);
    items.push(...page.items);
    next = page.next;
    told(items.length);
  } while (next !== null && items.length < EXPORTED_MAX);
  return items;
}

export function auditVerification(signal?: AbortSignal): Promise<AuditVerification> {
  return get<AuditVerification>(path('/audit/verification'), signal);
}
