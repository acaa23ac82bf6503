// What every part of the API speaks of. The JSON is as the handlers of crates/server send it.
// Prices are decimal strings, shares of one are numbers in 0..1, instants are RFC 3339 in UTC,
// days are dates in Europe/Istanbul.

export type Day = string;
export type Instant = string;
export type DecimalString = string;
export type Origin = 'sample' | 'market';

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** How many sessions ahead models of daily bars look. */
export const HORIZONS = [1, 5, 20] as const;
export type Horizon = (typeof HORIZONS)[number];

/** Of any model: sessions, the next hour, or the rest of the day; in the order in which they are shown. */
export const MODEL_HORIZONS = ['1h', 'eod', '1', '5', '20'] as const;
export type ModelHorizon = (typeof MODEL_HORIZONS)[number];

/** A number with the interval in which the truth may lie. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  level: number;
}

/** A text in both languages. */
export interface Text {
  tr: string;
  en: string;
}

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  parameter?: string;
  request_id: string;
}
