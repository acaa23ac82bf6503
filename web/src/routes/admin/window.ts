import type { Bounds } from '../../api/analytics';

/** The windows of time that one can choose, the address has their names. */
export const WINDOWS = ['hour', 'day', 'week', 'month'] as const;
export type WindowName = (typeof WINDOWS)[number];
const USUAL: WindowName = 'day';

const HOUR_MS = 3_600_000;
const SPANS_MS: Record<WindowName, number> = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, month: 30 * 24 * HOUR_MS };

export function windowOf(search: string): WindowName {
  const wanted = new URLSearchParams(search).get('window');
  return WINDOWS.find((name) => name === wanted) ?? USUAL;
}

/** The window that ends `now`. */
export function boundsOf(name: WindowName, now: Date): Bounds {
  return { from: new Date(now.getTime() - SPANS_MS[name]).toISOString(), to: now.toISOString() };
}

/** The address with other choices; null takes one away, and what is usual is not written. */
export function withSearch(path: string, search: string, changes: Record<string, string | null>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '' || (name === 'window' && value === USUAL)) query.delete(name);
    else query.set(name, value);
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** Does `work` again and again while somebody looks at the page, and as soon as somebody does again; ends when called. */
export function whileVisible(work: () => void, everyMs: number, page: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'> = document): () => void {
  const look = (): void => {
    if (page.visibilityState === 'visible') work();
  };
  const timer = setInterval(look, everyMs);
  page.addEventListener('visibilitychange', look);
  return () => {
    clearInterval(timer);
    page.removeEventListener('visibilitychange', look);
  };
}

/** How often the overview asks again at most when something is told live: a run tells of each of its steps. */
export const TOLD_MS = 10_000;
/** How often pages of administration ask again while they are looked at, in milliseconds. */
export const AGAIN_MS = 15_000;
