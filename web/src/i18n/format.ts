import type { Language } from './dictionary';

/** English is written with the day first, as the exchange does. */
const LOCALES: Record<Language, string> = { tr: 'tr-TR', en: 'en-GB' };
export const EXCHANGE_ZONE = 'Europe/Istanbul';
/** Shown where a value is missing; never a zero. */
export const MISSING = '–';

/** Days as the API writes them; making a format is slow, and every second asks for the day. */
const ISO_DAY = new Intl.DateTimeFormat('en-CA', { timeZone: EXCHANGE_ZONE });
const ISO_TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: EXCHANGE_ZONE });
const numberFormats = new Map<string, Intl.NumberFormat>();
const dateFormats = new Map<string, Intl.DateTimeFormat>();

/** The key holds every option: two formats that shared one key once put a sign on a probability. */
export function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  let format = numberFormats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(LOCALES[language], options);
    numberFormats.set(key, format);
  }
  return format;
}

export function dateFormat(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let format = dateFormats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(LOCALES[language], options);
    dateFormats.set(key, format);
  }
  return format;
}

type Missing = null | undefined;

export function number(language: Language, value: number | Missing, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return numberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function signedNumber(language: Language, value: number | Missing, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return numberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'exceptZero',
  }).format(value);
}

/** Outside of these a number is easier to read as a power of ten. */
const PLAIN_MIN = 1e-4;
const PLAIN_MAX = 1e7;

/** A number of any size, as the value of a parameter is: so many digits that mean something. */
export function significant(language: Language, value: number | Missing, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  const isPlain = value === 0 || (size >= PLAIN_MIN && size < PLAIN_MAX);
  return numberFormat(language, { maximumSignificantDigits: digits, ...(isPlain ? {} : { notation: 'scientific' }) }).format(value);
}

/** A price from the API's decimal string; at least two decimals, at most the four the store keeps. */
export function price(language: Language, value: string | number | Missing): string {
  const amount = amountOf(value);
  if (amount === null) return MISSING;
  return numberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(amount);
}

export function lira(language: Language, value: string | number | Missing): string {
  const amount = amountOf(value);
  if (amount === null) return MISSING;
  return numberFormat(language, {
    style: 'currency',
    currency: 'TRY',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: 2,
    maximumFractionDigits: 4,
  }).format(amount);
}

export function signedPrice(language: Language, value: number | Missing): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return numberFormat(language, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 4,
    signDisplay: 'exceptZero',
  }).format(value);
}

/** A share of one as a percentage: 0.0222 becomes "%2,22" or "2.22%". */
export function percent(language: Language, share: number | Missing, digits = 2): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return MISSING;
  return numberFormat(language, {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(share);
}

/** The level of an interval: whole percent, or with a decimal where it needs one. */
export function levelPercent(language: Language, level: number): string {
  return percent(language, level, Math.abs(level * 100 - Math.round(level * 100)) < 0.05 ? 0 : 1);
}

/** As {@link percent}, with the sign that a return needs. */
export function signedPercent(language: Language, share: number | Missing, digits = 2): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return MISSING;
  return numberFormat(language, {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'exceptZero',
  }).format(share);
}

/** A volume in at most four characters and a unit. */
export function compact(language: Language, value: number | Missing): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return numberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

/** A day of the exchange, "2026-11-20", as a date; days have no zone, so none is applied. */
export function day(language: Language, value: string | Missing, style: 'long' | 'short' = 'long'): string {
  if (value === null || value === undefined) return MISSING;
  const at = new Date(`${value}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return MISSING;
  const options: Intl.DateTimeFormatOptions =
    style === 'long'
      ? { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }
      : { day: 'numeric', month: 'short', timeZone: 'UTC' };
  return dateFormat(language, options).format(at);
}

/** A day in short, with its year when that is not the year of `today`. */
export function nearDay(language: Language, value: string | Missing, today: string): string {
  return day(language, value, value?.slice(0, 4) === today.slice(0, 4) ? 'short' : 'long');
}

/** As {@link nearDay}, with the time of that day where there is one. */
export function nearMoment(language: Language, value: string | Missing, time: string | Missing, today: string): string {
  const date = nearDay(language, value, today);
  return time === null || time === undefined ? date : `${date} ${time}`;
}

export function weekday(language: Language, value: string): string {
  return dateFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(new Date(`${value}T00:00:00Z`));
}

export function month(language: Language, value: string): string {
  return dateFormat(language, { month: 'short', timeZone: 'UTC' }).format(new Date(`${value}T00:00:00Z`));
}

/** A month with its year: "Mar 2024". */
export function monthOfYear(language: Language, value: string): string {
  return dateFormat(language, { month: 'short', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${value}T00:00:00Z`));
}

export function instant(language: Language, value: string | Missing): string {
  if (value === null || value === undefined) return MISSING;
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return MISSING;
  return dateFormat(language, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: EXCHANGE_ZONE,
  }).format(at);
}

export function clock(language: Language, at: Date, seconds: boolean): string {
  return dateFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' as const } : {}),
    timeZone: EXCHANGE_ZONE,
  }).format(at);
}

/** The day it is in Istanbul, as the API writes days. */
export function exchangeDay(at: Date): string {
  return ISO_DAY.format(at);
}

/** The time it is in Istanbul, as the API writes times: "14:00". */
export function exchangeTime(at: Date): string {
  return ISO_TIME.format(at);
}

export function addDays(value: string, count: number): string {
  const at = new Date(`${value}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + count);
  return at.toISOString().slice(0, 10);
}

export function list(language: Language, items: string[]): string {
  return new Intl.ListFormat(LOCALES[language], { type: 'conjunction' }).format(items);
}

export function amountOf(value: string | number | Missing): number | null {
  if (value === null || value === undefined || value === '') return null;
  const amount = Number(value);
  return Number.isFinite(amount) ? amount : null;
}
