// What came of the signals that were served.

import type { Action } from './signals';
import type { ReliabilityBin } from './models';
import type { Day, DecimalString, Estimate, Horizon, Instant, Origin, TimeOfDay } from './vocabulary';

/** How many of a number were so; the share is null while it is too early to say. */
export interface Tally {
  of_count: number;
  count: number;
  share: Estimate | null;
}

export interface ActionRecord {
  action: Action;
  scored_count: number;
  hits: Tally;
  tradable_count: number;
  untradable_count: number;
  paid: Tally;
  gain_after_costs_share: Estimate | null;
  target_first: Tally;
  stop_first: Tally;
  both_in_one_bar_count: number;
}

export interface RecordSummary {
  scored_count: number;
  days_count: number;
  first_day: Day | null;
  last_day: Day | null;
  periods_count: number;
  periods_count_min: number;
  is_too_early: boolean;
  late_count: number;
  hits: Tally;
  rises: Tally;
  mean_confidence: number | null;
  held_50: Tally;
  held_80: Tally;
  actions: ActionRecord[];
}

export const GROUPINGS = ['month', 'symbol', 'version', 'confidence', 'action'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface RecordGroup {
  key: string;
  summary: RecordSummary;
}

export interface RecordPoint extends ReliabilityBin {
  observed: Estimate | null;
}

export interface RecordReliability {
  rows_count: number;
  brier: number;
  base_rate_brier: number;
  coin_brier: number;
  gain_over_coin: Estimate | null;
  ece: number;
  points: RecordPoint[];
}

export interface HorizonRecord {
  horizon: Horizon;
  served_count: number;
  waiting_count: number;
  never_known_count: number;
  summary: RecordSummary;
}

export interface SignalRecord extends HorizonRecord {
  origin: Origin;
  never_known: { reason: string; count: number }[];
  reliability: RecordReliability | null;
  by: Grouping;
  groups: RecordGroup[];
  horizons: HorizonRecord[];
}

export interface SignalScore {
  ended_on: Day;
  first_close: DecimalString;
  last_close: DecimalString;
  return_share: number;
  hit: boolean | null;
  held_80: boolean;
  made_in_time: boolean;
  entry: 'open' | 'no_bar' | 'no_open' | 'locked' | null;
  gain_after_costs_share: number | null;
  first_touched: 'target' | 'stop' | 'both' | 'neither' | null;
}

export interface ServedSignal {
  id: string;
  issue: number;
  symbol: string;
  model_version: string;
  made_at: Instant;
  as_of: Day;
  as_of_time?: TimeOfDay;
  action: Action;
  probability_up: number;
  expected_return_share: number;
  state: 'waiting' | 'scored' | 'never_known';
  never_known_code: string | null;
  score: SignalScore | null;
}
