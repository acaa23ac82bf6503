import type { Signal } from '../../api/schema/signals';
import { exchangeDay, exchangeTime } from '../../i18n/format';

/** Whether the day, or the time of that day, is over for which a signal was made. */
export function isExpired({ valid_until: day, valid_until_time: time }: Pick<Signal, 'valid_until' | 'valid_until_time'>, now: Date): boolean {
  const today = exchangeDay(now);
  if (day === null || day > today) return false;
  return day < today || (time !== undefined && time <= exchangeTime(now));
}
