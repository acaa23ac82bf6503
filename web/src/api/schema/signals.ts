// Forecasts and the signals that are made of them.

import type { Day, DecimalString, Horizon, Instant, Origin, TimeOfDay } from './vocabulary';

export type Action = 'buy' | 'sell' | 'hold';

export interface Band {
  coverage: number;
  low: DecimalString;
  high: DecimalString;
}

export interface ForecastStep {
  session: number;
  day: Day | null;
  /** When it ends; of a horizon within a session. */
  time?: TimeOfDay;
  median: DecimalString;
  bands: Band[];
}

/** Shares of the gain first, of the loss first and of neither; together one. */
export interface BarrierShares {
  upper: number;
  lower: number;
  vertical: number;
}

/** Which of two prices will be touched first, from the open of the next session, or hour, on. */
export interface Barriers extends BarrierShares {
  /** One standard deviation of the return over the horizon. */
  distance_log_return: number;
}

export interface Forecast {
  symbol: string;
  origin: Origin;
  model_version: string;
  made_at: Instant;
  as_of: Day;
  /** When the last bar that it knows closed; of a horizon within a session. */
  as_of_time?: TimeOfDay;
  last_close: DecimalString;
  horizon: Horizon;
  expected_return_share: number;
  probability_up: number;
  /**
   * Standard deviation of daily log-returns, or of the return over a horizon within a session; null when there was
   * nothing to learn it from.
   */
  volatility_share: number | null;
  barriers: Barriers | null;
  steps: ForecastStep[];
}

/** Why a signal is what it is: a stable code and the numbers that decided. */
export interface Reason {
  code: string;
  [number_name: string]: unknown;
}

export interface Signal {
  id: string;
  symbol: string;
  origin: Origin;
  model_version: string;
  snapshot_hash: string;
  made_at: Instant;
  as_of: Day;
  /** When the last bar that it knows closed; of a horizon within a session. */
  as_of_time?: TimeOfDay;
  action: Action;
  reason: Reason;
  reason_text: string;
  horizon: Horizon;
  next_session: Day | null;
  valid_until: Day | null;
  /** When it ends on that day; of a horizon within a session. */
  valid_until_time?: TimeOfDay;
  last_close: DecimalString;
  expected_return_share: number;
  cost_share: number;
  expected_return_after_costs_share: number;
  /** Calibrated out of sample. */
  probability_up: number | null;
  /** Where the expected return lies with probability 0.8. */
  expected_return_interval_80: { low: number; high: number };
  interval_50: { low: number; high: number };
  interval_80: { low: number; high: number };
  target: DecimalString | null;
  stop: DecimalString | null;
  risk_reward: number | null;
}

/** Why a symbol has no signal: there is no model of the horizon, it was not asked yet, or it spoke of others only. */
export type Absence = 'no_model' | 'not_made' | 'not_of_symbol';
