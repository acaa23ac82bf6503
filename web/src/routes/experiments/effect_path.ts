import type { ExperimentDay } from '../../api/schema/experiments';
import { axisOf, shareOf, type Axis } from '../../charts/axis';

export const HEIGHT = 280;
export const LEFT = 56;
export const RIGHT = 12;
export const TOP = 12;
export const BOTTOM = 38;

/** What was known of a challenger after a number of judged days. */
export interface EffectPoint {
  days: number;
  value: number;
  low: number;
  high: number;
}

/** The way of one challenger, without the days before there was an interval. */
export function pointsOf(path: ExperimentDay[], version: string): EffectPoint[] {
  return path.flatMap(({ days_count: days, challengers }) => {
    const improvement = challengers.find((one) => one.version === version)?.improvement ?? null;
    return improvement === null ? [] : [{ days, value: improvement.value, low: improvement.low, high: improvement.high }];
  });
}

/**
 * The axis on which the last intervals can be read, zero on it; the first ones, which are wide, are
 * cut at its ends.
 */
export function effectAxis(points: EffectPoint[], wanted: number): Axis {
  const last = points.at(-1);
  if (last === undefined) return axisOf(-1, 1, false, 5);
  const reach = Math.max(...points.map(({ value }) => Math.abs(value)), 2 * (last.high - last.value), Math.abs(wanted)) || 1e-6;
  const low = Math.min(-0.5 * reach, last.low, ...points.map(({ value }) => value)) - 0.1 * reach;
  const high = Math.max(0.5 * reach, last.high, ...points.map(({ value }) => value)) + 0.1 * reach;
  return axisOf(low, high, false, 5);
}

/** From judged days and amounts to places, in pixels. */
export interface Places {
  x: (days: number) => number;
  y: (amount: number) => number;
}

export function placesOf(x: Axis, y: Axis, width: number): Places {
  const within = (place: number): number => Math.min(HEIGHT - BOTTOM, Math.max(TOP, place));
  return {
    x: (days) => LEFT + shareOf(x, days) * Math.max(0, width - LEFT - RIGHT),
    y: (amount) => within(TOP + (1 - shareOf(y, amount)) * (HEIGHT - TOP - BOTTOM)),
  };
}

const corner = ({ x, y }: Places, days: number, amount: number): string => `${x(days).toFixed(1)} ${y(amount).toFixed(1)}`;

/** The line of the estimates. */
export function linePath(points: EffectPoint[], places: Places): string {
  return points.map(({ days, value }, at) => `${at === 0 ? 'M' : 'L'}${corner(places, days, value)}`).join('');
}

/** The intervals as one area. */
export function bandPath(points: EffectPoint[], places: Places): string {
  if (points.length === 0) return '';
  const above = points.map(({ days, high }) => corner(places, days, high));
  const below = [...points].reverse().map(({ days, low }) => corner(places, days, low));
  return `M${[...above, ...below].join('L')}Z`;
}
