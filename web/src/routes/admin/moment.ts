import type { ShippedLog } from '../../api/schema/backups';
import type { Instant } from '../../api/schema/vocabulary';
import { clock, exchangeDay } from '../../i18n/format';

const SECOND_MS = 1000;
/** What an input of a day and a time has; browsers leave out seconds that are 0, and have years that are half typed. */
const LOCAL = /^([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2})?$/;

/** Why a moment cannot be gone back to. */
export type MomentFault = 'none' | 'early' | 'late';
/** A moment that can be gone back to, or why not. */
export type Choice = { at: Instant } | { fault: MomentFault };

/** The first and the last moment that can be chosen, in whole seconds: nothing of either is left out by that. */
export function choosable({ from, to }: Pick<ShippedLog, 'from' | 'to'>): { from: Instant; to: Instant } {
  const next = (at: Instant): Instant => written(Math.ceil(Date.parse(at) / SECOND_MS) * SECOND_MS);
  return { from: next(from), to: next(to) };
}

/** The moment as an input has it, in the time of Istanbul: "2026-11-24T15:00:00". */
export function localOf(at: Instant): string {
  const moment = new Date(at);
  return `${exchangeDay(moment)}T${clock('en', moment, true)}`;
}

/** What `local`, a day and a time in Istanbul as an input has them, chooses of the moments of `log`. */
export function choose(local: string, log: Pick<ShippedLog, 'from' | 'to'>): Choice {
  const at = momentOf(local);
  if (at === null) return { fault: 'none' };
  const { from, to } = choosable(log);
  if (Date.parse(at) < Date.parse(from)) return { fault: 'early' };
  if (Date.parse(at) > Date.parse(to)) return { fault: 'late' };
  return { at };
}

/** The moment at which clocks in Istanbul show `local`; null when they never do. */
export function momentOf(local: string): Instant | null {
  const [, minute, second = ':00'] = LOCAL.exec(local) ?? [];
  if (minute === undefined) return null;
  const text = minute + second;
  const shown = Date.parse(`${text}Z`);
  if (Number.isNaN(shown)) return null;
  // How far clocks are ahead may be another at the moment itself than at the one that is called so in UTC.
  let at = shown;
  for (let round = 0; round < 2; round += 1) at = shown - (Date.parse(`${localOf(written(at))}Z`) - at);
  return localOf(written(at)) === text ? written(at) : null;
}

/** A whole second as the API writes it. */
function written(ms: number): Instant {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
