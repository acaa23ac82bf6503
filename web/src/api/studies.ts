import { ask, path, PAGE_ROWS, type Query } from './client';
import type { Page } from './schema/vocabulary';
import type { Importances, ParallelCoordinates, ParetoPlot, SlicePlot, Study, StudyHistory, StudySummary, Trial, TrialState } from './schema/studies';

/** The last answers that may be asked for again, by address, the oldest first. */
const answers = new Map<string, { tag: string; value: unknown }>();
const ANSWERS_MAX = 24;

/**
 * For what is asked for again and again: as long as the server says that nothing has
 * changed, the answer is the very same object, so that nothing is drawn anew.
 */
async function getAgain<T>(url: string, signal?: AbortSignal): Promise<T> {
  const known = answers.get(url);
  const response = await ask(url, known === undefined ? {} : { headers: { 'if-none-match': known.tag } }, signal);
  if (known !== undefined && response.status === 304) return known.value as T;
  const value = (await response.json()) as T;
  const tag = response.headers.get('etag');
  answers.delete(url);
  if (tag !== null) {
    answers.set(url, { tag, value });
    const [oldest] = answers.keys();
    if (answers.size > ANSWERS_MAX && oldest !== undefined) answers.delete(oldest);
  }
  return value;
}

/** The newest studies. */
export async function studies(signal?: AbortSignal): Promise<StudySummary[]> {
  const page = await getAgain<Page<StudySummary>>(path('/studies', { limit: PAGE_ROWS }), signal);
  return page.items;
}

const studyPath = (name: string, part = '', query: Query = {}): string => path(`/studies/${encodeURIComponent(name)}${part}`, query);

export function study(name: string, signal?: AbortSignal): Promise<Study> {
  return getAgain<Study>(studyPath(name), signal);
}

/** By what trials are put in order: their number, the value of the first objective, or how long they took. */
export type TrialOrder = 'number' | 'value' | 'duration';

/** Which trials are wanted, and how many of them. */
export interface TrialFilter {
  state: TrialState | null;
  sort: TrialOrder;
  descending: boolean;
  limit: number;
}

export function trials(name: string, { state, sort, descending, limit }: TrialFilter, signal?: AbortSignal): Promise<Page<Trial>> {
  const order = descending ? 'desc' : 'asc';
  return getAgain<Page<Trial>>(studyPath(name, '/trials', { state, sort, order, limit: Math.min(limit, PAGE_ROWS) }), signal);
}

export function studyHistory(name: string, objective: number, signal?: AbortSignal): Promise<StudyHistory> {
  return getAgain<StudyHistory>(studyPath(name, '/history', { objective }), signal);
}

export function importances(name: string, objective: number, signal?: AbortSignal): Promise<Importances> {
  return getAgain<Importances>(studyPath(name, '/importances', { objective }), signal);
}

export function slicePlot(name: string, param: string, objective: number, signal?: AbortSignal): Promise<SlicePlot> {
  return getAgain<SlicePlot>(studyPath(name, '/slice', { param, objective }), signal);
}

export function parallelCoordinates(name: string, objective: number, signal?: AbortSignal): Promise<ParallelCoordinates> {
  return getAgain<ParallelCoordinates>(studyPath(name, '/parallel-coordinates', { objective }), signal);
}

export function paretoPlot(name: string, signal?: AbortSignal): Promise<ParetoPlot> {
  return getAgain<ParetoPlot>(studyPath(name, '/pareto'), signal);
}
