import type { StudySummary } from '../../api/schema/studies';

/** How often a study that runs is asked for, in milliseconds; each time six pictures may follow it. */
const RUNNING_MS = 5000;
/** The others now and then, so that one that goes on is noticed. */
const RESTING_MS = 30_000;

/** How long to wait before the studies shown are asked for again; null while nobody knows whether one runs. */
export function pollingMs(shown: StudySummary[] | null): number {
  return shown === null || shown.some((study) => study.state === 'running') ? RUNNING_MS : RESTING_MS;
}
