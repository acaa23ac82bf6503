import { get, path, post, remove } from './client';
import type { ApiKey, MadeKey, NewKey } from './schema/access';
import type { Page } from './schema/vocabulary';

const keyPath = (id: string, part = ''): string => path(`/api-keys/${encodeURIComponent(id)}${part}`);

/** The keys of who asks, or those of everybody. */
export async function apiKeys(ofAll: boolean, signal?: AbortSignal): Promise<ApiKey[]> {
  const { items } = await get<Page<ApiKey>>(path('/api-keys', { all: ofAll ? 'true' : null }), signal);
  return items;
}

export function makeKey(wanted: NewKey): Promise<MadeKey> {
  return post<MadeKey>(path('/api-keys'), wanted);
}

export function rotateKey(id: string): Promise<MadeKey> {
  return post<MadeKey>(keyPath(id, '/rotate'), {});
}

/** What opens a successor; it is told once. */
export function collectKey(id: string): Promise<MadeKey> {
  return post<MadeKey>(keyPath(id, '/collect'), {});
}

export function revokeKey(id: string): Promise<void> {
  return remove<void>(keyPath(id));
}
