import { parseRoute, type Route } from './routes';

class Router {
  route = $state.raw<Route>(parseRoute(location.pathname));
  /** The choices made on the page, as in the address. */
  search = $state(location.search);
  pathname = $state(location.pathname);

  constructor() {
    addEventListener('popstate', () => this.#show());
  }

  go(path: string, how: 'push' | 'replace' = 'push'): void {
    if (how === 'replace') history.replaceState(null, '', path);
    else if (path !== location.pathname + location.search) history.pushState(null, '', path);
    this.#show();
  }

  #show(): void {
    this.search = location.search;
    // A link within the page comes here too, and so does a choice; the page stays as it is.
    if (location.pathname === this.pathname) return;
    this.pathname = location.pathname;
    this.route = parseRoute(location.pathname);
  }
}

export const router = new Router();

/** Lets plain links of this origin change the page without loading it again. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest('a');
  if (link === null || link.target !== '' || link.origin !== location.origin) return;
  if (link.hasAttribute('download') || link.dataset.native !== undefined) return;
  // A link within the page (skip link) is the browser's own business.
  if (link.pathname === location.pathname && link.hash !== '') return;
  event.preventDefault();
  router.go(link.pathname + link.search);
  scrollTo(0, 0);
}
