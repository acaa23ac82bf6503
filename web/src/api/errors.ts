import { get, path, post } from './client';
import type { ErrorGroup, ErrorGroupDetails, ErrorKind, ErrorState } from './schema/analytics';
import type { Page } from './schema/vocabulary';

/** Which groups are wanted; null asks about nothing. */
export interface ErrorFilter {
  state: ErrorState | null;
  kind: ErrorKind | null;
  /** The `x-request-id` of an answer. */
  request_id: string | null;
}

/** Groups are read one by one, so they come in short pages. */
const GROUPS_PER_PAGE = 50;

const groupPath = (id: string, part = ''): string => path(`/admin/errors/${encodeURIComponent(id)}${part}`);

/** The groups seen last, or those before `cursor`. */
export function errorGroups(filter: ErrorFilter, cursor: string | null, signal?: AbortSignal, limit = GROUPS_PER_PAGE): Promise<Page<ErrorGroup>> {
  return get<Page<ErrorGroup>>(path('/admin/errors', { ...filter, limit, cursor }), signal);
}

export function errorGroup(id: string, signal?: AbortSignal): Promise<ErrorGroupDetails> {
  return get<ErrorGroupDetails>(groupPath(id), signal);
}

export function setErrorState(id: string, state: ErrorState): Promise<ErrorGroup> {
  return post<ErrorGroup>(groupPath(id, '/state'), { state });
}
