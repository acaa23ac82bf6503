import { ApiError } from '../api/client';

/** One try after the other to have the server do something: whether one is under way, and why the last one failed. */
export class Attempt {
  isUnderWay = $state(false);
  problem = $state.raw<ApiError | null>(null);

  /** Whether the server has said when, and only then, it listens again. */
  get mustWait(): boolean {
    return this.problem !== null && this.problem.retryAt !== null;
  }

  /** Does `step` unless the one before is still under way; true when it was done. */
  run = async (step: () => Promise<void>): Promise<boolean> => {
    if (this.isUnderWay) return false;
    this.isUnderWay = true;
    this.problem = null;
    try {
      await step();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
      return false;
    } finally {
      this.isUnderWay = false;
    }
  };
}
