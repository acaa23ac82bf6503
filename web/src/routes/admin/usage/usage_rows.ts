import type { UsageOf } from '../../../api/analytics';
import { USAGE_BY, type UsageBy, type UsageItem } from '../../../api/schema/analytics';

/** The columns one can sort by; the address has a minus before those from the greatest down. */
export const SORTS = ['name', 'requests_count', 'client_errors_count', 'refused_count', 'errors_count', 'p50_ms', 'p95_ms', 'p99_ms', 'last_at'] as const;
export type SortColumn = (typeof SORTS)[number];
export interface Sort {
  column: SortColumn;
  isDown: boolean;
}

export function byOf(search: string): UsageBy {
  const wanted = new URLSearchParams(search).get('by');
  return USAGE_BY.find((by) => by === wanted) ?? 'route';
}

export function sortOf(search: string): Sort {
  const wanted = new URLSearchParams(search).get('sort') ?? '-requests_count';
  const column = SORTS.find((one) => one === wanted.replace(/^-/, ''));
  return column === undefined ? { column: 'requests_count', isDown: true } : { column, isDown: wanted.startsWith('-') };
}

/** What the address says after the head of `column` was pressed: numbers go down first, names up. */
export function nextSort({ column, isDown }: Sort, pressed: SortColumn): string {
  const goesDown = column === pressed ? !isDown : pressed !== 'name';
  return goesDown ? `-${pressed}` : pressed;
}

/** By what a row is known in the address. */
export function rowName(by: UsageBy, item: UsageItem): string {
  if (by === 'route') return `${item.method ?? ''} ${item.name}`.trim();
  return (by === 'account' ? item.account : item.key) ?? item.name;
}

/** The requests of a row, as the series of them is asked for; null for those of nobody in particular. */
export function ofRow(by: UsageBy, item: UsageItem): UsageOf | null {
  if (by === 'route') return item.method === null ? null : { route: item.name, method: item.method };
  const id = by === 'account' ? item.account : item.key;
  return id === null ? null : { [by]: id };
}

/** What a row is called; those of nobody in particular have `words` of ours, and nobody else is called by them. */
export function shownName(by: UsageBy, item: UsageItem, words: Record<string, string>): string {
  if (ofRow(by, item) === null) return words[item.name] ?? item.name;
  return by === 'route' ? rowName(by, item) : item.name;
}

/** The rows in order; what is not known stands last whichever way they go, and equal rows by name. */
export function sorted(items: UsageItem[], { column, isDown }: Sort): UsageItem[] {
  const direction = isDown ? -1 : 1;
  const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
  const byName = (a: UsageItem, b: UsageItem): number => compare(a.name, b.name) || compare(a.method ?? '', b.method ?? '');
  return [...items].sort((a, b) => {
    const [left, right] = [a[column], b[column]];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || byName(a, b);
    const order = column === 'name' ? byName(a, b) : compare(left, right);
    return direction * order || byName(a, b);
  });
}
