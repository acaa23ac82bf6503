import type { HistoryPoint } from '../../api/schema/studies';
import type { Mark } from './scatter';

/** The trials of a study as marks by their number; those that wait have nothing to show yet. */
export function historyMarks(points: HistoryPoint[]): Mark[] {
  return points.flatMap(({ number, state, value }): Mark[] => (state === 'waiting' ? [] : [{ number, kind: state, x: number, y: value }]));
}

/** The trials that improved on all before them, by their numbers. */
export function improvements(points: HistoryPoint[]): { number: number; best: number }[] {
  const steps: { number: number; best: number }[] = [];
  for (const { number, best } of points) {
    if (best !== null && best !== steps.at(-1)?.best) steps.push({ number, best });
  }
  return steps;
}
