import { settings } from '../settings.svelte';
import * as format from './format';

/** The formatters of `format.ts` in the language of the reader; they follow a change of it. */
export const say = {
  number: (value: number | null | undefined, digits?: number) => format.number(settings.language, value, digits),
  signedNumber: (value: number | null | undefined, digits: number) =>
    format.signedNumber(settings.language, value, digits),
  significant: (value: number | null | undefined, digits?: number) => format.significant(settings.language, value, digits),
  price: (value: string | number | null | undefined) => format.price(settings.language, value),
  signedPrice: (value: number | null | undefined) => format.signedPrice(settings.language, value),
  lira: (value: string | number | null | undefined) => format.lira(settings.language, value),
  percent: (share: number | null | undefined, digits?: number) => format.percent(settings.language, share, digits),
  levelPercent: (level: number) => format.levelPercent(settings.language, level),
  signedPercent: (share: number | null | undefined, digits?: number) =>
    format.signedPercent(settings.language, share, digits),
  compact: (value: number | null | undefined) => format.compact(settings.language, value),
  day: (value: string | null | undefined, style?: 'long' | 'short') => format.day(settings.language, value, style),
  nearDay: (value: string | null | undefined) =>
    format.nearDay(settings.language, value, format.exchangeDay(new Date())),
  nearMoment: (value: string | null | undefined, time: string | null | undefined) =>
    format.nearMoment(settings.language, value, time, format.exchangeDay(new Date())),
  monthOfYear: (value: string) => format.monthOfYear(settings.language, value),
  weekday: (value: string) => format.weekday(settings.language, value),
  instant: (value: string | null | undefined) => format.instant(settings.language, value),
  clock: (at: Date, seconds: boolean) => format.clock(settings.language, at, seconds),
  list: (items: string[]) => format.list(settings.language, items),
};
