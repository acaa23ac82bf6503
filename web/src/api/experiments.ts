import { get, PAGE_ROWS, path } from './client';
import type { Experiment, ExperimentSummary } from './schema/experiments';
import type { Page } from './schema/vocabulary';

/** The newest experiments. */
export async function experiments(signal?: AbortSignal): Promise<ExperimentSummary[]> {
  const page = await get<Page<ExperimentSummary>>(path('/experiments', { limit: PAGE_ROWS }), signal);
  return page.items;
}

export function experiment(id: string, signal?: AbortSignal): Promise<Experiment> {
  return get<Experiment>(path(`/experiments/${encodeURIComponent(id)}`), signal);
}
