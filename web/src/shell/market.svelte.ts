import * as api from '../api/client';
import { Resource } from '../api/resource.svelte';
import type { CalendarDay, SymbolSummary } from '../api/schema/market';
import { addDays, exchangeDay } from '../i18n/format';

/** How far ahead we look for the next session; the longest closure of the exchange was nine days. */
const CALENDAR_DAYS_AHEAD = 21;
/** The list of symbols is asked for again when it is older than this and the page is looked at. */
const SYMBOLS_AGE_MS_MAX = 60_000;

/** What every page shares: the symbols of the store and the calendar of the exchange. */
class Market {
  readonly symbols = new Resource<SymbolSummary[]>();
  readonly calendar = new Resource<CalendarDay[]>();
  now = $state(new Date());
  #symbolsAt = 0;
  #calendarFrom = '';

  start(): () => void {
    this.refresh();
    const timer = setInterval(() => {
      this.now = new Date();
      this.#loadCalendar();
    }, 1000);
    const onVisible = (): void => {
      if (document.visibilityState === 'visible') this.refresh();
    };
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }

  refresh(): void {
    if (Date.now() - this.#symbolsAt > SYMBOLS_AGE_MS_MAX) {
      this.#symbolsAt = Date.now();
      void this.symbols.load('symbols', api.symbols);
    }
    this.#loadCalendar();
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
