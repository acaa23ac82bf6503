/** One session is the day that has not been loaded yet; from this many on, prices are called old. */
const OLD_SESSIONS_MIN = 2;

/** Whether prices are old by the exchange's sessions; unknown staleness is said in words, not greyed. */
export function isOld(staleSessions: number | null): boolean {
  return staleSessions !== null && staleSessions >= OLD_SESSIONS_MIN;
}
