import type { Query } from '../../api/client';

/** What the reader typed: moves in percent. */
export interface ScenarioChoices {
  market: string;
  usdtry: string;
  sessions: string;
  holdings: string;
}

const MOVE_MIN = -90;
const MOVE_MAX = 300;
const SESSIONS_MAX = 60;

/** The choices in the address; a fall of a tenth within five sessions where it says nothing. */
export function choicesOf(search: string): ScenarioChoices {
  const query = new URLSearchParams(search);
  return {
    market: query.get('market') ?? '-10',
    usdtry: query.get('usdtry') ?? '',
    sessions: query.get('sessions') ?? '5',
    holdings: query.get('holdings') ?? '',
  };
}

/** A number as people write it, with a comma or a dot; null for nothing, NaN for nonsense. */
export function numberOf(text: string): number | null {
  const plain = text.trim().replace(',', '.');
  return plain === '' ? null : Number(plain);
}

/** What to ask the server; null where a number is missing or out of bounds. */
export function queryOf({ market, usdtry, sessions, holdings }: ScenarioChoices): Query | null {
  const moves = [numberOf(market), numberOf(usdtry)];
  const isAllowed = (move: number | null): boolean => move === null || (move >= MOVE_MIN && move <= MOVE_MAX);
  const horizon = numberOf(sessions);
  const isWhole = horizon !== null && Number.isInteger(horizon) && horizon >= 1 && horizon <= SESSIONS_MAX;
  if (!moves.every(isAllowed) || moves.every((move) => move === null) || !isWhole) return null;
  const share = (move: number | null | undefined): number | null => (move === null || move === undefined ? null : move / 100);
  return {
    market_change_share: share(moves[0]),
    usdtry_change_share: share(moves[1]),
    horizon_sessions: horizon,
    holdings: holdings.trim() === '' ? null : holdings.trim(),
  };
}
