import { ApiError } from '../../api/client';
import type { Backups, Restoring } from '../../api/schema/backups';
import { poll, type Looked } from '../../live/poll';

/** How often it is asked how far it has come. */
export const LOOK_MS = 1000;
/** For so long servers may say nothing of it: another one than was asked may answer. */
export const SILENCE_MS = 120_000;

/** Going back to a backup, watched from its beginning to its end, also while no server answers. */
export class RestoreWatch {
  /** As it was told last; null before the first time. */
  state = $state.raw<Restoring | null>(null);
  /** How it ended; null while it goes on, and before. */
  end = $state.raw<'restored' | 'failed' | 'silent' | null>(null);
  /** Whether no server answers at the moment. */
  isAway = $state(false);
  #ask: () => Promise<Backups>;
  #page: Looked | undefined;
  #stop = $state.raw<(() => void) | null>(null);
  #restoredAt: string | null = null;
  #heardAt = 0;

  /** `ask` asks how backups stand. */
  constructor(ask: () => Promise<Backups>, page?: Looked) {
    this.#ask = ask;
    this.#page = page;
  }

  get isUnderWay(): boolean {
    return this.#stop !== null;
  }

  /** Watches `state`; everything became what a backup had at `restoredAt` the last time, or never. */
  begin(state: Restoring, restoredAt: string | null): void {
    if (this.isUnderWay) return;
    this.state = state;
    this.end = state.stage === 'failed' ? 'failed' : null;
    this.isAway = false;
    this.#restoredAt = restoredAt;
    this.#heardAt = Date.now();
    if (this.end === null) this.#stop = poll(() => this.#look(), () => LOOK_MS, this.#page);
  }

  /** Watches no longer. */
  leave = (): void => {
    this.#stop?.();
    this.#stop = null;
  };

  #finish(end: 'restored' | 'failed' | 'silent'): void {
    this.end = end;
    this.leave();
  }

  async #look(): Promise<void> {
    try {
      const { restoring, restored_at: restoredAt } = await this.#ask();
      this.isAway = false;
      if (!this.isUnderWay) return;
      if (restoring !== null) {
        this.state = restoring;
        this.#heardAt = Date.now();
        if (restoring.stage === 'failed') this.#finish('failed');
      } else if (restoredAt !== this.#restoredAt) this.#finish('restored');
      else if (Date.now() - this.#heardAt > SILENCE_MS) this.#finish('silent');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Who has no session any more is led to where one signs in, as from any page.
      this.isAway = true;
    }
  }
}
