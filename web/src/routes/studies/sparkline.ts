import type { Trial } from '../../api/schema/studies';

/** What a trial reported on its way as a line in a box; a report that is no number leaves a gap. */
export function sparkline(intermediate: Trial['intermediate'], width: number, height: number): string {
  const values = intermediate.flatMap(({ value }) => (value === null ? [] : [value]));
  const steps = intermediate.map(({ step }) => step);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [Math.min(...steps), Math.max(...steps)];
  const x = (step: number): number => (last === first ? width / 2 : 2 + ((step - first) / (last - first)) * (width - 4));
  const y = (value: number): number => (high === low ? height / 2 : 2 + ((high - value) / (high - low)) * (height - 4));
  let d = '';
  let isDrawing = false;
  for (const { step, value } of intermediate) {
    // A lone report is a dot: a line of no length with round ends.
    if (value !== null) d += `${isDrawing ? 'L' : 'M'}${x(step).toFixed(1)} ${y(value).toFixed(1)}${isDrawing ? '' : 'h0'}`;
    isDrawing = value !== null;
  }
  return d;
}
