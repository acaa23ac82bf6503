// Models and the record of each out of sample.

import type { Day, Estimate, Horizon, Instant, Origin, Text } from './vocabulary';
import type { Lineage, ModelState, StateChange } from './registry';
import type { BarrierShares } from './signals';

/** Root mean squared errors of forecasts of the return over the horizon, on the same rows. */
export interface Rmse {
  model: number;
  zero: number;
  /** The other baselines, by their words. */
  [baseline: string]: number;
}

export interface ModelSummary {
  version: string;
  kind: string;
  /** How far ahead it looks; there is one champion for each. */
  horizon: Horizon;
  /** The forecasts shown are those of the champion. */
  state: ModelState;
  origin: Origin;
  trained_at: Instant;
  first_day: Day;
  last_day: Day;
  rows_count: number;
  symbols_count: number;
  snapshot_hash: string;
  seed: number;
  /** Whether a study found its configuration. */
  is_tuned: boolean;
  skill_shown: boolean;
  rank_ic: Estimate | null;
  hit_rate: Estimate | null;
  rmse: Rmse;
}

export interface Fold {
  train_from: Day;
  train_to: Day;
  validation_from: Day;
  validation_to: Day;
  test_from: Day;
  test_to: Day;
  train_rows_count: number;
  validation_rows_count: number;
  test_rows_count: number;
  trees_count: number;
  rank_ic: number | null;
  hit_share: number | null;
  rmse: Rmse;
}

/** How often a band held the outcome, one level and step. */
export interface Coverage {
  step: number;
  /** What the band promises. */
  level: number;
  /** The share of outcomes inside; null when there are too few days. */
  covered: Estimate | null;
  /** The same of the band as it was calibrated, not adapted since. */
  covered_unadapted: Estimate | null;
  rows_count: number;
  mean_width_share: number;
}

/** What one rule, fixed beforehand, would have earned, beside holding every symbol in equal parts. */
export interface AfterCosts {
  periods_count: number;
  days_per_period: number;
  invested_periods_count: number;
  trades_count: number;
  untradable_count: number;
  round_trip_share: number;
  turnover_share: number;
  gross_return_share: number;
  net_return_share: Estimate | null;
  hold_return_share: number;
  excess_return_share: Estimate | null;
}

export interface SymbolRecord {
  symbol: string;
  from: Day;
  to: Day;
  rows_count: number;
  rank_ic: Estimate | null;
  hit_rate: Estimate | null;
  up_share: number | null;
  skill_shown: boolean;
}

/** What drawing the days anew in blocks says of a coefficient. */
export interface Bootstrapped {
  coefficient: Estimate;
  information_ratio: Estimate | null;
  interval_method: string;
  mean_block_days: number;
  resamples_count: number;
}

export interface InformationCoefficient {
  estimate: Estimate | null;
  method: 'cross_sectional' | 'time_series';
  interval_method: string;
  lag_days: number;
  days_count: number;
  effective_days_count: number;
  bootstrap: Bootstrapped | null;
}

export interface HitRate {
  estimate: Estimate | null;
  interval_method: string;
  rows_count: number;
  /** The hit rate of always saying up. */
  up_share: number | null;
}

/** One condition of the skill rule and how it came out. */
export interface SkillReason {
  condition: string;
  relative_to_day: boolean;
  met: boolean;
  measured: number | null;
  bound: number;
  text: string;
}

export interface Caveat {
  code: string;
  text: string;
}

export interface CostModel {
  slippage_share?: number;
  [number_name: string]: unknown;
}

export interface Protocol {
  scheme: string;
  /** Whether the return itself is learned, or the return less the mean of the day. */
  learning_target: 'relative_to_day' | 'absolute';
  purge_sessions: number;
  embargo_sessions: number;
  configurations_tried_count: number;
  /** The last day that trees which learned elsewhere know of; absent where the trees are ours. */
  given_trees_known_until?: string;
  seed: number;
  costs: CostModel;
}

/** Shares in a calm market and in a turbulent one. */
export interface RegimeShares {
  calm: number;
  turbulent: number;
}

/** One of the models that an ensemble weighs, on the same days out of sample as the ensemble. */
export interface Member {
  kind: string;
  /** The weight in the ensemble that is in force. */
  weight: RegimeShares;
  /** The weight in each fold, in the order of `folds`. */
  fold_weights: RegimeShares[];
  rank_ic: Estimate | null;
  rmse: number;
}

/** The model beside a baseline or a member of the ensemble. */
export interface Comparison {
  against: string;
  relative_to_day: boolean;
  /**
   * Mean over the days of the other's squared error less that of the model, in squared log-returns:
   * above zero the model is better. Null when there are too few days or the forecasts never differ.
   */
  loss_difference: Estimate | null;
  statistic: number | null;
  p_value: number | null;
  better: 'model' | 'other' | 'not_told_apart';
}

/** Forecasts of a probability that are near each other: a point of the reliability diagram. */
export interface ReliabilityBin {
  low: number;
  high: number;
  count: number;
  mean_forecast: number;
  observed_share: number;
}

/** How good probability forecasts were; the bins from the lowest forecasts to the highest. */
export interface ProbabilityScores {
  rows_count: number;
  base_rate: number;
  mean_forecast: number;
  brier: number;
  /** Share by which `brier` is below that of the base rate; null when all outcomes are the same. */
  brier_skill: number | null;
  /** In nats. */
  log_loss: number;
  /** Expected calibration error over the bins. */
  ece: number;
  bins: ReliabilityBin[];
}

export type CalibrationMethod = 'identity' | 'platt' | 'beta' | 'isotonic';

/** The probability of a rise, beside the share of rises among the rows learned from. */
export interface DirectionScores {
  calibrated: ProbabilityScores;
  uncalibrated: ProbabilityScores;
  average_brier: number;
  brier_gain: Estimate | null;
  method: CalibrationMethod;
  log_losses: { method: CalibrationMethod; log_loss: number }[];
}

/** The volatility over the horizon, beside persistence. */
export interface VolatilityScores {
  rows_count: number;
  log_rmse: number;
  persistence_log_rmse: number;
  qlike: number;
  persistence_qlike: number;
  qlike_gain: Estimate | null;
}

/** The probabilities of the barriers, beside the shares among the rows learned from. */
export interface BarrierScores {
  rows_count: number;
  observed: BarrierShares;
  brier: number;
  average_brier: number;
  brier_gain: Estimate | null;
}

/** What was said besides the return; null where there was nothing to learn from. */
export interface OutlookScores {
  direction: DirectionScores | null;
  volatility: VolatilityScores | null;
  barriers: BarrierScores | null;
}

/** What was compared after the future had been changed, and found equal. */
export interface LeakCheck {
  /** The last day that was left as it was. */
  changed_after: Day;
  values_count: number;
  forecasts_count: number;
}

/** The record of a part of the forecasts. */
export interface Slice {
  days_count: number;
  rows_count: number;
  rank_ic: Estimate | null;
  hit_share: number | null;
  skill_against_zero_share: number | null;
}

/** That a record is too good to be true. */
export interface Alarm {
  code: string;
  measured: number;
  bound: number;
  text: string;
}

/** The record of a model out of sample. */
export interface Evaluation {
  kind: string;
  horizon: Horizon;
  from: Day;
  to: Day;
  days_count: number;
  rows_count: number;
  symbols_count: number;
  protocol: Protocol;
  /** Whether the order of the forecasts can be told from luck, in either language. */
  sentence: Text;
  alarm: Alarm | null;
  /** `rank_ic` has the interval by which it is judged, as wide as the configurations tried ask for. */
  skill: { shown: boolean; rank_ic: Estimate | null; reasons: SkillReason[] };
  rank_ic: InformationCoefficient;
  ic: InformationCoefficient;
  hit_rate: HitRate;
  /** Return that came for a unit of return forecast; null when it cannot be measured. */
  calibration_slope: Estimate | null;
  rmse: Rmse;
  comparisons: Comparison[];
  after_costs: AfterCosts | null;
  coverage: Coverage[];
  outlook: OutlookScores;
  folds: Fold[];
  /** In the order of the weights. */
  members: Member[];
  by_year: (Slice & { year: number })[];
  /** Empty when no symbol's sector is known. */
  by_sector: (Slice & { sector: string; symbols_count: number })[];
  by_symbol: SymbolRecord[];
  leak_check: LeakCheck;
  caveats: Caveat[];
}

export interface ModelVersion extends ModelSummary {
  artifact_sha256: string;
  /** Null for versions from before it was measured. */
  training_seconds: number | null;
  lineage: Lineage;
  evaluation: Evaluation;
  /** The first first. */
  changes: StateChange[];
}
