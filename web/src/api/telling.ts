import { account } from '../account.svelte';
import { path } from './client';

/** What the page tells of itself, for which nobody waits. */
export type Told = '/errors' | '/activity';

/**
 * Sends `document` unasked, also while the page is left. Nothing is made of an answer: a page that
 * failed, or that somebody reads, is not to fail again because telling it did.
 */
export function tell(resource: Told, document: object): void {
  const { session } = account;
  if (!session || session.stage !== 'full') return;
  const headers = { 'content-type': 'application/json', accept: 'application/json', 'x-csrf-token': session.csrf_token };
  const request = { method: 'POST', keepalive: true, credentials: 'same-origin' as const, headers, body: JSON.stringify(document) };
  fetch(path(resource), request).catch(() => undefined);
}
