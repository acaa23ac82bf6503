// Symbols, their bars and the calendar of the exchange.

import type { Day, DecimalString, Instant, Origin, Page } from './vocabulary';
import type { Action } from './signals';

export interface SymbolSignal {
  action: Action;
  reason_code: string;
  as_of: Day;
}

export interface FormerName {
  symbol: string;
  /** The last day under this name. */
  until: Day;
}

/** The price of this moment, as a live source tells it. */
export interface Quote {
  price: DecimalString | null;
  previous_close: DecimalString | null;
  change_share: number | null;
  /** When that was the price, in the words of the source. */
  priced_at: Instant | null;
  age_s: number | null;
  /** Whether the source has told nothing newer for longer than the session allows; null when that is not known. */
  stale: boolean | null;
  live_source: string | null;
}

export interface SymbolSummary {
  symbol: string;
  name: string | null;
  sector: string | null;
  origin: Origin;
  source: string;
  fetched_at: Instant;
  first_day: Day | null;
  last_day: Day | null;
  /** The last validated day. */
  as_of: Day | null;
  bars_count: number;
  last_close: DecimalString | null;
  previous_close: DecimalString | null;
  change_share: number | null;
  quality_share: number | null;
  /** Tickers under which the share was traded before, newest first. */
  former_names: FormerName[];
  /** Every source that has bars of it; `source` is the one that is used. */
  sources: string[];
  /** Sessions of the exchange since `as_of`; null when the calendar does not cover today. */
  stale_sessions: number | null;
  /** Null where no live source tells one that is newer than the bars. */
  quote: Quote | null;
  signal: SymbolSignal | null;
}

export interface Bar {
  day: Day;
  /** Null when the source has no opening price; none is made up. */
  open: DecimalString | null;
  high: DecimalString;
  low: DecimalString;
  close: DecimalString;
  adjusted_close: number | null;
  volume: number | null;
}

export interface BarsPage extends Page<Bar> {
  symbol: string;
  interval: string;
  origin: Origin;
  source: string;
  as_of: Day | null;
}

export type DayKind = 'full' | 'half' | 'closed' | 'unknown';

export interface CalendarDay {
  day: Day;
  kind: DayKind;
  name: string | null;
  opens_at: Instant | null;
  closes_at: Instant | null;
  settles_on: Day | null;
}
