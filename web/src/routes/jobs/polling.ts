import type { JobRun } from '../../api/schema/jobs';

/** How often a run that is under way is asked for, in milliseconds. */
const UNDER_WAY_MS = 2000;
/** The others now and then, so that one that begins is noticed. */
const RESTING_MS = 10_000;

/** How long to wait before the runs shown are asked for again. */
export function pollingMs(shown: JobRun[] | null): number {
  const isUnderWay = (run: JobRun): boolean => run.state === 'running' || run.state === 'waiting';
  return shown === null || shown.some(isUnderWay) ? UNDER_WAY_MS : RESTING_MS;
}
