// What every part of the API speaks of. The JSON is as the handlers of crates/server send it.
// Prices are decimal strings, shares of one are numbers in 0..1, instants are RFC 3339 in UTC,
// days are dates in Europe/Istanbul.

export type Day = string;
/** Hours and minutes of a day in Istanbul, "14:00". */
export type TimeOfDay = string;
export type Instant = string;
export type DecimalString = string;
export type Origin = 'sample' | 'market';

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** How far ahead models look: the next hour, the rest of the day, or sessions; in the order in which they are shown. */
export const HORIZONS = ['1h', 'eod', '1', '5', '20'] as const;
export type Horizon = (typeof HORIZONS)[number];

/** Whether it ends in the session from which it looks ahead; such models learn from hourly bars. */
export function isWithinSession(horizon: Horizon): horizon is '1h' | 'eod' {
  return horizon === '1h' || horizon === 'eod';
}

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
