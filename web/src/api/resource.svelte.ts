import { ApiError } from './client';

/**
 * One thing asked of the server: nothing yet, an answer, or a problem.
 *
 * A newer `load` cancels the one before it, so that an old answer never overwrites a new one. The
 * last answer stays on screen while the next one is fetched for the same key.
 */
export class Resource<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<ApiError | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;
  #key: string | null = null;
  #ask: ((signal: AbortSignal) => Promise<T>) | null = null;

  async load(key: string, ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    if (this.#key !== key) this.value = null;
    this.#key = key;
    this.problem = null;
    await this.#fetch(ask);
  }

  async #fetch(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#ask = ask;
    this.loading = true;
    try {
      const value = await ask(abort.signal);
      if (this.#abort !== abort) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (this.#abort !== abort || abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
    } finally {
      if (this.#abort === abort) this.loading = false;
    }
  }

  retry = (): void => {
    if (this.#key !== null && this.#ask !== null) void this.load(this.#key, this.#ask);
  };

  /** Asks the same again unseen: what is shown stays, a problem included, until the answer is there. */
  refresh = async (): Promise<void> => {
    if (this.#ask !== null && !this.loading) await this.#fetch(this.#ask);
  };
}
