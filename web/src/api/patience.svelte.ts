/** A longer wait is not sat out unseen: who reads the page is told and may try again by hand. */
const WAIT_MS_MAX = 120_000;
/** Requests that waited for the same moment do not all come in it. */
const SPREAD_MS = 1000;

/** When a `Retry-After` header lets one ask again: it holds seconds or a date. Null where it says nothing. */
export function retryTime(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(header)) return now + Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(at, now);
}

/** Requests that wait because too many were made. */
class Patience {
  /** For when the last of those that wait will be made again; null when none waits. */
  until = $state<number | null>(null);
  #waiting = 0;

  /** True once the time has come; false at once where that is too long to wait for. */
  async wait(at: number, signal?: AbortSignal): Promise<boolean> {
    const ms = Math.max(at - Date.now(), 0) + Math.random() * SPREAD_MS;
    if (ms > WAIT_MS_MAX) return false;
    this.#waiting += 1;
    this.until = Math.max(this.until ?? 0, at);
    try {
      await new Promise<void>((resolve, reject) => {
        const giveUp = (): void => {
          clearTimeout(timer);
          reject(signal?.reason as Error);
        };
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        }, ms);
        if (signal?.aborted) giveUp();
        else signal?.addEventListener('abort', giveUp, { once: true });
      });
      return true;
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.until = null;
    }
  }
}

export const patience = new Patience();
