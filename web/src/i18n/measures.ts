import { dateFormat, EXCHANGE_ZONE, MISSING, numberFormat } from './format';
import type { Language } from './dictionary';

const SECOND_MS = 1000;
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

type Missing = null | undefined;

/** How long an answer took: "62 ms", and from a second on "1.25 secs". */
export function milliseconds(language: Language, value: number | Missing): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const [unit, amount] = value < SECOND_MS ? (['millisecond', value] as const) : (['second', value / SECOND_MS] as const);
  const digits = amount < 10 ? 2 : amount < 100 ? 1 : 0;
  return numberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits }).format(amount);
}

/** A length of time in its largest whole unit: "12 days", "5 minutes". */
export function length(language: Language, seconds: number | Missing): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  const [unit, size] =
    seconds < MINUTE_S ? (['second', 1] as const) : seconds < HOUR_S ? (['minute', MINUTE_S] as const) : seconds < 2 * DAY_S ? (['hour', HOUR_S] as const) : (['day', DAY_S] as const);
  return numberFormat(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(Math.floor(seconds / size));
}

/** An instant with its second, as whoever looks for it in a log needs it. */
export function exactInstant(language: Language, value: string | Missing): string {
  if (value === null || value === undefined) return MISSING;
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return MISSING;
  const options: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' };
  return dateFormat(language, { ...options, timeZone: EXCHANGE_ZONE }).format(at);
}

/** A moment on an axis whose marks are `apart_s` seconds from each other: a day, or a time. */
export function tick(language: Language, at: Date, apart_s: number): string {
  const options: Intl.DateTimeFormatOptions = apart_s >= DAY_S ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' };
  return dateFormat(language, { ...options, timeZone: EXCHANGE_ZONE }).format(at);
}
