import type { MonthScore } from '../../api/schema/quality';

/** The height of the picture and its margins, in pixels; its width is what the page leaves. */
export const HEIGHT = 200;
export const LEFT = 44;
export const RIGHT = 10;
export const TOP = 8;
export const BOTTOM = 22;
/** Scores live close to one: the axis never begins below this unless a score does. */
const LOWEST_SHARE = 0.9;
/** Where it begins lower, it begins at a multiple of one in so many. */
const AXIS_STEPS = 20;
/** Years are named, but no closer than this, in pixels. */
const YEAR_GAP = 46;

export interface ChartPoint {
  x: number;
  y: number;
  month: MonthScore;
}

export interface ScoreChart {
  points: ChartPoint[];
  /** `M` and `L` of the line, with a gap where a month is missing. */
  line: string;
  from: number;
  years: { x: number; label: string }[];
  y: (share: number) => number;
}

function monthNumber(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}

/** Where the months of a series are drawn, `width` pixels wide; an empty list gives an empty picture. */
export function scoreChart(months: MonthScore[], width: number): ScoreChart {
  const lowest = Math.min(1, ...months.map((month) => month.score_share));
  const from = lowest < LOWEST_SHARE ? Math.max(0, Math.floor(lowest * AXIS_STEPS) / AXIS_STEPS) : LOWEST_SHARE;
  const y = (share: number): number => TOP + (1 - (share - from) / (1 - from)) * (HEIGHT - TOP - BOTTOM);
  const first = months[0];
  const last = months.at(-1);
  if (first === undefined || last === undefined) return { points: [], line: '', from, years: [], y };
  const begin = monthNumber(first.month);
  const span = Math.max(1, monthNumber(last.month) - begin);
  const x = (number: number): number => LEFT + ((number - begin) / span) * Math.max(0, width - LEFT - RIGHT);
  const points = months.map((month) => ({ x: x(monthNumber(month.month)), y: y(month.score_share), month }));
  let line = '';
  let before: number | null = null;
  for (const point of points) {
    const number = monthNumber(point.month.month);
    line += `${before === number - 1 ? 'L' : 'M'}${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
    before = number;
  }
  const years: ScoreChart['years'] = [];
  for (let year = Math.ceil(begin / 12); year * 12 <= begin + span; year += 1) {
    const at = x(year * 12);
    const previous = years.at(-1);
    if (previous === undefined || at - previous.x >= YEAR_GAP) years.push({ x: at, label: String(year) });
  }
  return { points, line, from, years, y };
}

/** The month drawn nearest to `x`, in pixels from the left. */
export function nearest(points: ChartPoint[], x: number): ChartPoint | null {
  let best: ChartPoint | null = null;
  for (const point of points) if (best === null || Math.abs(point.x - x) < Math.abs(best.x - x)) best = point;
  return best;
}
