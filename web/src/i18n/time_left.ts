/** What is left until a moment, in the largest whole unit. */
export interface TimeLeft {
  unit: 'days' | 'hours' | 'minutes' | 'over';
  count: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function timeLeft(until: string, now: number): TimeLeft {
  const ms = Date.parse(until) - now;
  if (Number.isNaN(ms) || ms <= 0) return { unit: 'over', count: 0 };
  if (ms >= 2 * DAY_MS) return { unit: 'days', count: Math.floor(ms / DAY_MS) };
  if (ms >= 2 * HOUR_MS) return { unit: 'hours', count: Math.floor(ms / HOUR_MS) };
  return { unit: 'minutes', count: Math.ceil(ms / MINUTE_MS) };
}

/** A key is to be renewed from so long before it expires. */
const RENEWAL_MS = 7 * DAY_MS;

export function isDueForRenewal({ state, expires_at }: { state: string; expires_at: string }, now: number): boolean {
  const ms = Date.parse(expires_at) - now;
  return state === 'active' && ms > 0 && ms <= RENEWAL_MS;
}
