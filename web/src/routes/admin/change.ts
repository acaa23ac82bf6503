/** How much more there is than before, as a share of what there was; null where there was nothing. */
export function relativeChange(now: number | null, before: number | null): number | null {
  return now === null || before === null || before === 0 ? null : (now - before) / before;
}

/** How much greater a share is than before, in percentage points; null where one is not known. */
export function pointChange(now: number | null, before: number | null): number | null {
  return now === null || before === null ? null : (now - before) * 100;
}

/** How many more there are than before; null where one is not known. */
export function countChange(now: number, before: number | null): number | null {
  return before === null ? null : now - before;
}

/** What a change means: more is bad of some figures, and of others it is neither. */
export function toneOf(change: number | null, moreIs: 'bad' | 'neither'): 'up' | 'down' | 'muted' {
  if (change === null || change === 0 || moreIs === 'neither') return 'muted';
  return change > 0 ? 'down' : 'up';
}
