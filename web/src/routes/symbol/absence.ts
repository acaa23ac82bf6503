import type { Absence } from '../../api/schema/signals';
import { isWithinSession, type Horizon } from '../../api/schema/vocabulary';

/** What makes the signals of a horizon; those of hours cannot be shown by default, where there may be no other model. */
export function signalsCommand(horizon: Horizon): string {
  return isWithinSession(horizon) ? `bist signals --horizon ${horizon}` : 'bist signals';
}

/** What to type so that the symbol gets a signal. */
export function commandsFor(absence: Absence, horizon: Horizon): string[] {
  const signals = signalsCommand(horizon);
  if (absence === 'not_made') return [signals];
  if (absence === 'not_of_symbol') return ['bist ingest csv DIR', signals];
  return isWithinSession(horizon) ? ['bist ingest csv DIR', 'bist train --interval 60m', signals] : ['bist train', signals];
}
