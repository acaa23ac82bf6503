import * as api from '../api/client';
import { Resource } from '../api/resource.svelte';
import type { CalendarDay, SymbolSummary } from '../api/schema/market';
import { addDays, exchangeDay } from '../i18n/format';
import { calmly } from '../live/calmly';
import type { Envelope, LivePrice } from '../live/envelope';
import { live } from '../live/live.svelte';
import { quoteOf, withQuote } from '../parts/staleness';

/** How far ahead we look for the next session; the longest closure of the exchange was nine days. */
const CALENDAR_DAYS_AHEAD = 21;
/** The list of symbols is asked for again at most so often. */
const SYMBOLS_PAUSE_MS = 5000;

/** The horizon of the signals that the list of symbols has. */
const LISTED_HORIZON = '5';

/** What every page shares: the symbols of the store and the calendar of the exchange. */
class Market {
  readonly symbols = new Resource<SymbolSummary[]>();
  readonly calendar = new Resource<CalendarDay[]>();
  now = $state(new Date());
  #calendarFrom = '';
  readonly #reload = calmly(() => void this.symbols.load('symbols', async (signal) => (await api.symbols(signal)).map(withQuote)), SYMBOLS_PAUSE_MS);

  start(): () => void {
    this.#reload();
    this.#loadCalendar();
    const deaf = live.follow(['prices', 'signals'], (news) => this.#hear(news));
    const timer = setInterval(() => {
      this.now = new Date();
      this.#loadCalendar();
    }, 1000);
    return () => {
      clearInterval(timer);
      deaf();
    };
  }

  /** Puts new prices in their places; what is not a price of a known session is read anew. */
  #hear(news: Envelope[]): void {
    const known = this.symbols.value;
    if (known === null) return;
    const prices = new Map<string, LivePrice>();
    let isOther = false;
    for (const { topic, type, data } of news) {
      if (topic.startsWith('prices/') && type === 'update') prices.set((data as LivePrice).symbol, data as LivePrice);
      else if (type === 'gone') isOther = true;
      else isOther ||= this.#isNewSignal(topic, data as { action: string; as_of: string });
    }
    const moved = known.map((entry) => {
      const price = prices.get(entry.symbol);
      if (price === undefined) return entry;
      prices.delete(entry.symbol);
      const quote = quoteOf(price);
      isOther ||= price.replay_time === null && quote === null && price.as_of !== entry.as_of;
      return { ...entry, quote, last_close: price.last_close, previous_close: price.previous_close, change_share: price.change_share };
    });
    this.symbols.value = moved;
    if (isOther || prices.size > 0) this.#reload();
  }

  /** Whether the signal of a symbol in the list is another one now. */
  #isNewSignal(topic: string, { action, as_of }: { action: string; as_of: string }): boolean {
    const [section, symbol, horizon] = topic.split('/');
    if (section !== 'signals' || horizon !== LISTED_HORIZON) return false;
    const listed = this.symbols.value?.find((entry) => entry.symbol === symbol)?.signal ?? null;
    return listed === null || listed.action !== action || listed.as_of !== as_of;
  }

  /** The newest validated day of all symbols. */
  get newest(): SymbolSummary | null {
    let newest: SymbolSummary | null = null;
    for (const symbol of this.symbols.value ?? []) {
      if (symbol.as_of !== null && (newest === null || symbol.as_of > (newest.as_of ?? ''))) newest = symbol;
    }
    return newest;
  }

  #loadCalendar(): void {
    const today = exchangeDay(new Date());
    if (today === this.#calendarFrom) return;
    this.#calendarFrom = today;
    void this.calendar.load(today, (signal) => api.calendar(today, addDays(today, CALENDAR_DAYS_AHEAD), signal));
  }
}

export const market = new Market();
