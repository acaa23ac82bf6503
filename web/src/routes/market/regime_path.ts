import type { RegimeDay } from '../../api/schema/market_view';

/** Where a plot stands in its picture. */
export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function placeOf(index: number, count: number, { left, right }: Frame): number {
  return count < 2 ? left : left + (index / (count - 1)) * (right - left);
}

/** The line of the probabilities, broken where they are not known. */
export function probabilityPath(days: RegimeDay[], frame: Frame): string {
  let isDrawn = false;
  const parts = days.map(({ turbulent_probability: probability }, index) => {
    if (probability === null) {
      isDrawn = false;
      return '';
    }
    const command = isDrawn ? 'L' : 'M';
    isDrawn = true;
    const y = frame.bottom - probability * (frame.bottom - frame.top);
    return `${command}${placeOf(index, days.length, frame).toFixed(1)} ${y.toFixed(1)}`;
  });
  return parts.join('');
}

/** At most `most` days with their places, evenly apart and away from the ends, where their names would be cut. */
export function yearMarks(days: RegimeDay[], frame: Frame, most: number): { x: number; day: string }[] {
  if (days.length < 2 * most) return [];
  return Array.from({ length: most }, (_, place) => {
    const index = Math.round(((place + 0.5) / most) * (days.length - 1));
    return { x: placeOf(index, days.length, frame), day: days[index]?.day ?? '' };
  });
}
