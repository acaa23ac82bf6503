import type { AuditRecord } from '../../api/schema/access';

/** A spreadsheet runs what begins with one of these; records hold names that strangers have typed. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const COLUMNS = ['seq', 'at', 'actor', 'actor_name', 'action', 'subject', 'details', 'personal', 'erased', 'request_id', 'mac'] as const;

/** RFC 4180, the names of the columns first. */
export function auditCsv(records: AuditRecord[]): string {
  const rows = records.map((record) => COLUMNS.map((column) => cell(record[column])).join(','));
  return [COLUMNS.join(','), ...rows].map((row) => `${row}\r\n`).join('');
}
