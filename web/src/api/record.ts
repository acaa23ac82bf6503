import { get, path } from './client';
import type { Grouping, ServedSignal, SignalRecord } from './schema/record';
import type { Horizon, Page } from './schema/vocabulary';

/** The latest signals are read one by one, so they come in a short page. */
const LATEST_COUNT = 50;

export function signalRecord(horizon: Horizon, by: Grouping, signal?: AbortSignal): Promise<SignalRecord> {
  return get<SignalRecord>(path('/signals/record', { horizon, by }), signal);
}

/** The signals of a horizon that do not wait any more, the last served first. */
export function closedSignals(horizon: Horizon, cursor: string | null, signal?: AbortSignal): Promise<Page<ServedSignal>> {
  return get<Page<ServedSignal>>(path('/signals/served', { horizon, closed: 'true', limit: LATEST_COUNT, cursor }), signal);
}
