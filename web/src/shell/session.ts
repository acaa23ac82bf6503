import type { CalendarDay } from '../api/schema/market';

/** What the exchange is doing now, by the server's calendar. */
export type Phase =
  | { kind: 'unknown' }
  | { kind: 'before_open'; opensAt: Date; half: boolean }
  | { kind: 'open'; closesAt: Date; half: boolean }
  | { kind: 'after_close'; next: CalendarDay | null }
  | { kind: 'closed'; name: string | null; weekend: boolean; next: CalendarDay | null };

function isSession(day: CalendarDay): boolean {
  return day.kind === 'full' || day.kind === 'half';
}

export function phaseAt(calendar: CalendarDay[], today: string, now: Date): Phase {
  const entry = calendar.find((day) => day.day === today);
  if (entry === undefined || entry.kind === 'unknown') return { kind: 'unknown' };
  const next = calendar.find((day) => day.day > today && isSession(day)) ?? null;
  if (!isSession(entry)) {
    const weekday = new Date(`${today}T00:00:00Z`).getUTCDay();
    return { kind: 'closed', name: entry.name, weekend: weekday === 0 || weekday === 6, next };
  }
  if (entry.opens_at === null || entry.closes_at === null) return { kind: 'unknown' };
  const half = entry.kind === 'half';
  const opensAt = new Date(entry.opens_at);
  const closesAt = new Date(entry.closes_at);
  if (now < opensAt) return { kind: 'before_open', opensAt, half };
  if (now < closesAt) return { kind: 'open', closesAt, half };
  return { kind: 'after_close', next };
}

/** Hours and minutes left, each always written in full so that the text does not jump. */
export function left(until: Date, now: Date): { hours: number; minutes: number } {
  const minutes = Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 60_000));
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}
