import type { Bar } from '../api/schema/market';
import type { Forecast } from '../api/schema/signals';
import { isWithinSession } from '../api/schema/vocabulary';
import { addDays, amountOf } from '../i18n/format';
import type { BandPoint } from './forecast_band';

/** A bar as the chart draws it. */
export interface Candle {
  day: string;
  /** The close where the source has no opening price: the candle then has no body. */
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number | null;
}

/** Whether every bar has a usable adjusted close, and at least one differs from its close. */
export function canAdjust(bars: Bar[]): boolean {
  return (
    bars.every((bar) => bar.adjusted_close !== null && bar.adjusted_close > 0) &&
    bars.some((bar) => Math.abs((bar.adjusted_close ?? 0) / Number(bar.close) - 1) > 1e-6)
  );
}

/**
 * The bars as numbers; adjusted ones are scaled so that the newest bar keeps the price it was traded
 * at, because that is the price the forecast starts from.
 */
export function candles(bars: Bar[], adjusted: boolean): Candle[] {
  const newest = bars.at(-1);
  const scale = adjusted && newest !== undefined ? Number(newest.close) / (newest.adjusted_close ?? Number.NaN) : 1;
  return bars.map((bar) => {
    const factor = adjusted ? ((bar.adjusted_close ?? Number.NaN) / Number(bar.close)) * scale : 1;
    return {
      day: bar.day,
      open: Number(bar.open ?? bar.close) * factor,
      high: Number(bar.high) * factor,
      low: Number(bar.low) * factor,
      close: Number(bar.close) * factor,
      volume: bar.volume,
    };
  });
}

function nextWeekday(day: string): string {
  let next = addDays(day, 1);
  while ([0, 6].includes(new Date(`${next}T00:00:00Z`).getUTCDay())) next = addDays(next, 1);
  return next;
}

/** Whether the server could date every session of the forecast. */
export function isDated(forecast: Forecast): boolean {
  return forecast.steps.every((step) => step.day !== null);
}

/** The longest closure of the exchange. */
const CLOSURE_DAYS_MAX = 9;

/**
 * Whether a forecast can stand beside daily candles of which that of `newest` is the last. Sessions begin at its
 * close; a forecast within a session has a column of its own when its session is that one or the next.
 */
export function isDrawable(forecast: Forecast, newest: string): boolean {
  if (!isWithinSession(forecast.horizon)) return true;
  return forecast.as_of >= newest && forecast.as_of <= addDays(newest, CLOSURE_DAYS_MAX + 1);
}

/**
 * The forecast from its last close on, widest band first; within a session only where it ends, since it begins in
 * the same column. Where the calendar ends, the sessions are
 * laid on the weekdays that follow, and the page says so.
 */
export function bandPoints(forecast: Forecast): BandPoint[] {
  const start = amountOf(forecast.last_close);
  if (start === null) return [];
  const widestFirst = (step: Forecast['steps'][number]): { low: number; high: number }[] =>
    [...step.bands]
      .sort((a, b) => b.coverage - a.coverage)
      .map((band) => ({ low: Number(band.low), high: Number(band.high) }));
  const bandsCount = forecast.steps[0]?.bands.length ?? 0;
  const points: BandPoint[] = isWithinSession(forecast.horizon)
    ? []
    : [{ time: forecast.as_of, median: start, bands: Array.from({ length: bandsCount }, () => ({ low: start, high: start })) }];
  let day = forecast.as_of;
  for (const step of forecast.steps) {
    day = step.day ?? nextWeekday(day);
    points.push({ time: day, median: Number(step.median), bands: widestFirst(step) });
  }
  return points;
}
