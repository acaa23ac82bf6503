import type { MonthScore } from '../../api/schema';

/** The picture's own units; it is scaled to the width of the page. */
export const WIDTH = 720;
export const HEIGHT = 168;
const LEFT = 44;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;
/** Scores live close to one: the axis never begins below this unless a score does. */
const LOWEST_SHARE = 0.9;
/** Years are named, but no closer than this. */
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

/** Where the months of a series are drawn; an empty list gives an empty picture. */
export function scoreChart(months: MonthScore[]): ScoreChart {
  const lowest = Math.min(1, ...months.map((month) => month.score_share));
  const from = lowest < LOWEST_SHARE ? Math.max(0, Math.floor(lowest * 10) / 10) : LOWEST_SHARE;
  const y = (share: number): number => TOP + (1 - (share - from) / (1 - from)) * (HEIGHT - TOP - BOTTOM);
  const first = months[0];
  const last = months.at(-1);
  if (first === undefined || last === undefined) return { points: [], line: '', from, years: [], y };
  const begin = monthNumber(first.month);
  const span = Math.max(1, monthNumber(last.month) - begin);
  const x = (number: number): number => LEFT + ((number - begin) / span) * (WIDTH - LEFT - RIGHT);
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

/** The month drawn nearest to `x`, in the picture's units. */
export function nearest(points: ChartPoint[], x: number): ChartPoint | null {
  let best: ChartPoint | null = null;
  for (const point of points) if (best === null || Math.abs(point.x - x) < Math.abs(best.x - x)) best = point;
  return best;
}
