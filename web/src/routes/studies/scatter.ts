import { shareOf, type Axis } from '../../charts/axis';

/** Room around the picture for the names and numbers of the axes, in pixels. */
export const LEFT = 56;
export const RIGHT = 14;
export const TOP = 20;
export const BOTTOM = 40;
/** Half the size of a cross or a triangle, in pixels. */
const HALF = 3.5;
/** Farther from the pointer than this, in pixels, no point is meant. */
const REACH = 48;

/** How a trial is drawn. One that lies outside the axes is drawn at the edge, as `beyond`. */
export type MarkKind = 'complete' | 'pruned' | 'fail' | 'running' | 'front';
/** Each kind, those that matter most last, so that they are drawn over the others. */
export const MARK_KINDS: readonly MarkKind[] = ['pruned', 'fail', 'running', 'complete', 'front'];

export interface Mark {
  number: number;
  kind: MarkKind;
  x: number;
  /** Null for a trial without a value: it stands on the lower axis. */
  y: number | null;
}

export interface Placed {
  mark: Mark;
  x: number;
  y: number;
  isBeyond: boolean;
}

/** Where marks are drawn in a picture of that size, in pixels, y downwards. */
export function place(marks: Mark[], axes: { x: Axis; y: Axis }, size: { width: number; height: number }): Placed[] {
  const across = Math.max(0, size.width - LEFT - RIGHT);
  const down = Math.max(0, size.height - TOP - BOTTOM);
  return marks.map((mark) => {
    const x = shareOf(axes.x, mark.x);
    const y = mark.y === null ? 0 : shareOf(axes.y, mark.y);
    const [inX, inY] = [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
    return { mark, x: LEFT + inX * across, y: TOP + (1 - inY) * down, isBeyond: inX !== x || inY !== y };
  });
}

const at = (value: number): string => value.toFixed(1);

/** One mark as a part of a path: a dot is a line of no length with round ends. */
function shape({ mark, x, y, isBeyond }: Placed): string {
  if (isBeyond) return `M${at(x - HALF)} ${at(y + HALF)}l${HALF} ${-2 * HALF}l${HALF} ${2 * HALF}z`;
  if (mark.kind === 'fail') return `M${at(x - HALF)} ${at(y - HALF)}l${2 * HALF} ${2 * HALF}m0 ${-2 * HALF}l${-2 * HALF} ${2 * HALF}`;
  if (mark.kind === 'pruned') return `M${at(x - HALF)} ${at(y)}h${2 * HALF}`;
  if (mark.kind === 'running') return `M${at(x)} ${at(y - 2 * HALF)}v${2 * HALF}`;
  return `M${at(x)} ${at(y)}h0`;
}

/** All marks of a kind as one path, so that ten thousand trials are no more elements than ten. */
export function paths(placed: Placed[]): { kind: MarkKind | 'beyond'; d: string }[] {
  const kinds: (MarkKind | 'beyond')[] = ['beyond', ...MARK_KINDS];
  return kinds.map((kind) => ({ kind, d: placed.filter((one) => (one.isBeyond ? 'beyond' : one.mark.kind) === kind).map(shape).join('') })).filter(({ d }) => d !== '');
}

/** The best value so far as a staircase: it holds until a better one comes, and to the last trial. */
export function staircase(steps: { x: number; y: number }[], lastX: number): string {
  let d = '';
  for (const { x, y } of steps) d += d === '' ? `M${at(x)} ${at(y)}` : `H${at(x)}V${at(y)}`;
  return d === '' ? '' : `${d}H${at(lastX)}`;
}

/** The mark that is meant by a place in the picture. */
export function nearest(placed: Placed[], x: number, y: number): Mark | null {
  let best: Mark | null = null;
  let least = REACH * REACH;
  for (const one of placed) {
    const distance = (one.x - x) ** 2 + (one.y - y) ** 2;
    if (distance < least) [best, least] = [one.mark, distance];
  }
  return best;
}

/** The number of the next mark in the order of `marks`; the last one when none is chosen yet. */
export function neighbour(marks: Mark[], chosen: number | null, by: 1 | -1): number | null {
  const last = marks.length - 1;
  const index = marks.findIndex((mark) => mark.number === chosen);
  const next = index < 0 ? last : Math.min(last, Math.max(0, index + by));
  return marks[next]?.number ?? null;
}
