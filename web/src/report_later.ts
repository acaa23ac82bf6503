/** Fetches what tells of failures with the first one; where that fails too, nothing is left to tell it. */
export function reportLater(thrown: unknown): void {
  import('./report').then(({ report }) => report(thrown)).catch(() => undefined);
}
