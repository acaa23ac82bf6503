import { account } from '../../account.svelte';
import { Resource } from '../../api/resource.svelte';
import type { Portfolios } from '../../api/schema/trading';
import * as api from '../../api/trading';
import { calmly } from '../../live/calmly';
import { live } from '../../live/live.svelte';

/** What changed is read again at most so often. */
const PAUSE_MS = 2000;

/** The paper portfolios of the reader, which the pages of portfolios and of orders share. */
class Paper {
  readonly portfolios = new Resource<Portfolios>();
  /** Counts what was told of orders and portfolios, for parts that show more of them. */
  changes = $state(0);
  readonly #again = calmly(() => {
    this.changes += 1;
    void this.portfolios.refresh();
  }, PAUSE_MS);

  /** Whether the role lets one trade; the server decides all the same. */
  get isAllowed(): boolean {
    return account.may('trader');
  }

  /** Reads them and follows what happens to them until the returned function is called. */
  start(): () => void {
    if (!this.isAllowed) return () => undefined;
    void this.portfolios.load('portfolios', api.portfolios);
    return live.follow(['orders'], (news) => {
      if (news.some(({ type }) => type === 'update')) this.#again();
    });
  }

  /** Reads again what this page has changed. */
  changed = (): void => {
    this.changes += 1;
    void this.portfolios.refresh();
  };
}

export const paper = new Paper();
