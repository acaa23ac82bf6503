import type { LivePrice } from '../live/envelope';
import type { Quote, SymbolSummary } from '../api/schema/market';

/** One session is the day that has not been loaded yet; from this many on, prices are called old. */
const OLD_SESSIONS_MIN = 2;

/** Whether prices are old by the exchange's sessions; unknown staleness is said in words, not greyed. */
export function isOld(staleSessions: number | null): boolean {
  return staleSessions !== null && staleSessions >= OLD_SESSIONS_MIN;
}

/** Whether the price that is shown is old: that of this moment, where there is one, otherwise that of the bars. */
export const isPriceOld = (entry: Pick<SymbolSummary, 'quote' | 'stale_sessions'>): boolean =>
  entry.quote === null ? isOld(entry.stale_sessions) : entry.quote.stale === true;

/** The price of this moment that the stream tells; null when it is one of the bars or of a replay. */
export const quoteOf = (price: LivePrice): Quote | null =>
  price.live_source === null
    ? null
    : {
        price: price.last_close,
        previous_close: price.previous_close,
        change_share: price.change_share,
        priced_at: price.priced_at,
        age_s: price.age_s,
        stale: price.stale,
        live_source: price.live_source,
      };

/** A symbol with the price of this moment in the place of its last close. */
export const withQuote = (entry: SymbolSummary): SymbolSummary =>
  entry.quote === null
    ? entry
    : { ...entry, last_close: entry.quote.price, previous_close: entry.quote.previous_close, change_share: entry.quote.change_share };
