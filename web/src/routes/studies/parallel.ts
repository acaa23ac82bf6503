import type { ParallelCoordinates, StudyDirection } from '../../api/schema/studies';
import { shareOf, type Axis } from '../../charts/axis';

/** The part of an axis that is kept, as shares of it from its lower end. */
export interface Span {
  from: number;
  to: number;
}
export const WHOLE: Span = { from: 0, to: 1 };
/** Brushes by the index of their axis; an axis without one keeps everything. */
export type Brushes = Readonly<Record<number, Span>>;

/** A drag shorter than this, as a share of the axis, is a press: it takes the brush away. */
const DRAG_MIN = 0.01;
/** How far a key moves an end of a brush. */
export const KEY_STEP = 0.02;

export interface Line {
  number: number;
  value: number;
  /** Where it crosses the axes, as shares from their lower ends; null where the trial has no such parameter. */
  shares: (number | null)[];
}

/** The objective first, then the parameters, each placed on its own axis. */
export function linesOf(lines: ParallelCoordinates['lines'], valueAxis: Axis, axes: Axis[]): Line[] {
  const inside = (share: number): number => Math.min(1, Math.max(0, share));
  return lines.map(({ number, value, x }) => ({
    number,
    value,
    shares: [
      inside(shareOf(valueAxis, value)),
      ...axes.map((axis, index) => {
        const internal = x[index] ?? null;
        return internal === null ? null : inside(shareOf(axis, internal));
      }),
    ],
  }));
}

/** Whether a line passes through every brush. One without the parameter of a brushed axis does not. */
export function isKept(line: Line, brushes: Brushes): boolean {
  return Object.entries(brushes).every(([index, span]) => {
    const share = line.shares[Number(index)] ?? null;
    return share !== null && share >= span.from - 1e-9 && share <= span.to + 1e-9;
  });
}

/** The brushes after one was drawn from a share to another; a press without a drag takes it away. */
export function brushed(brushes: Brushes, index: number, start: number, end: number): Brushes {
  const { [index]: _, ...others } = brushes;
  const [from, to] = [Math.max(0, Math.min(start, end)), Math.min(1, Math.max(start, end))];
  return to - from < DRAG_MIN ? others : { ...others, [index]: { from, to } };
}

/** The brushes after one end was moved by a key; the ends do not pass each other, and a whole axis needs no brush. */
export function moved(brushes: Brushes, index: number, end: keyof Span, to: number): Brushes {
  const { [index]: span = WHOLE, ...others } = brushes;
  const next = end === 'from' ? { ...span, from: Math.max(0, Math.min(span.to, to)) } : { ...span, to: Math.min(1, Math.max(span.from, to)) };
  return next.from <= 0 && next.to >= 1 ? others : { ...others, [index]: next };
}

/** Classes of value: the best trials are drawn strongest, and last. */
export const RANKS = 5;

/** The lines in classes of as equal size as they come, the worst first. */
export function ranked(lines: Line[], direction: StudyDirection): Line[][] {
  const sorted = [...lines].sort((a, b) => (direction === 'maximize' ? a.value - b.value : b.value - a.value));
  const classes: Line[][] = Array.from({ length: RANKS }, () => []);
  for (const [index, line] of sorted.entries()) classes[Math.floor((index * RANKS) / sorted.length)]?.push(line);
  return classes;
}

/** The best `most` of the lines. */
export function bestOf(lines: ParallelCoordinates['lines'], direction: StudyDirection, most: number): ParallelCoordinates['lines'] {
  if (lines.length <= most) return lines;
  return [...lines].sort((a, b) => (direction === 'maximize' ? b.value - a.value : a.value - b.value)).slice(0, most);
}

/** One line as part of a path; where a parameter is missing the line is interrupted. */
export function linePath(line: Line, x: (index: number) => number, y: (share: number) => number): string {
  let d = '';
  let isDrawing = false;
  for (const [index, share] of line.shares.entries()) {
    if (share !== null) d += `${isDrawing ? 'L' : 'M'}${x(index).toFixed(1)} ${y(share).toFixed(1)}`;
    isDrawing = share !== null;
  }
  return d;
}
