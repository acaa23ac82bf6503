import { afterEach, expect, it, vi } from 'vitest';

/** A browser's address and history, as far as the router looks at them. */
function browser(start: string): { entries: string[]; back: () => void } {
  const entries = [start];
  let leave = (): void => undefined;
  const now = (): URL => new URL(entries.at(-1) ?? '/', 'http://x');
  vi.stubGlobal('location', {
    get pathname() {
      return now().pathname;
    },
    get search() {
      return now().search;
    },
  });
  vi.stubGlobal('history', {
    pushState: (_: unknown, __: string, path: string) => entries.push(path),
    replaceState: (_: unknown, __: string, path: string) => (entries[entries.length - 1] = path),
  });
  vi.stubGlobal('addEventListener', (_: string, listener: () => void) => (leave = listener));
  return {
    entries,
    back() {
      entries.pop();
      leave();
    },
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

it('a choice on a page is kept in the address, and the page stays', async () => {
  const { entries } = browser('/models?state=retired');
  const { router } = await import('../src/router.svelte');
  expect([router.route, router.search]).toEqual([{ name: 'models', version: null }, '?state=retired']);
  const shown = router.route;
  router.go('/models?horizon=5', 'replace');
  expect(router.route).toBe(shown);
  expect([router.search, entries]).toEqual(['?horizon=5', ['/models?horizon=5']]);
});

it('the way back leads to the choice that was left', async () => {
  const { entries, back } = browser('/models?horizon=5');
  const { router } = await import('../src/router.svelte');
  router.go('/models/gbdt-1');
  router.go('/models/gbdt-1');
  expect([router.search, entries]).toEqual(['', ['/models?horizon=5', '/models/gbdt-1']]);
  back();
  expect([router.route, router.search]).toEqual([{ name: 'models', version: null }, '?horizon=5']);
});
