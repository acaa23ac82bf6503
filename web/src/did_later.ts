import type { Done } from './activity';

/** Remembers what was done; what tells it is fetched after the page. */
export function didLater(kind: Done['kind'], subject: string): void {
  import('./did').then(({ did }) => did(kind, subject)).catch(() => undefined);
}
