// The JSON of the API, as the handlers of crates/server send it.
// Prices are decimal strings, shares of one are numbers in 0..1, instants are RFC 3339 in UTC,
// days are dates in Europe/Istanbul.

export type Day = string;
export type Instant = string;
export type DecimalString = string;
export type Origin = 'sample' | 'market';
export type Action = 'buy' | 'sell' | 'hold';
export type Severity = 'error' | 'warning' | 'info';

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface SymbolSignal {
  action: Action;
  reason_code: string;
  as_of: Day;
}

export interface FormerName {
  symbol: string;
  /** The last day under this name. */
  until: Day;
}

export interface SymbolSummary {
  symbol: string;
  name: string | null;
  sector: string | null;
  origin: Origin;
  source: string;
  fetched_at: Instant;
  first_day: Day | null;
  last_day: Day | null;
  /** The last validated day. */
  as_of: Day | null;
  bars_count: number;
  last_close: DecimalString | null;
  previous_close: DecimalString | null;
  change_share: number | null;
  quality_share: number | null;
  /** Tickers under which the share was traded before, newest first. */
  former_names: FormerName[];
  /** Every source that has bars of it; `source` is the one that is used. */
  sources: string[];
  /** Sessions of the exchange since `as_of`; null when the calendar does not cover today. */
  stale_sessions: number | null;
  signal: SymbolSignal | null;
}

export interface Bar {
  day: Day;
  /** Null when the source has no opening price; none is made up. */
  open: DecimalString | null;
  high: DecimalString;
  low: DecimalString;
  close: DecimalString;
  adjusted_close: number | null;
  volume: number | null;
}

export interface BarsPage extends Page<Bar> {
  symbol: string;
  interval: string;
  origin: Origin;
  source: string;
  as_of: Day | null;
}

export interface Band {
  coverage: number;
  low: DecimalString;
  high: DecimalString;
}

export interface ForecastStep {
  session: number;
  day: Day | null;
  median: DecimalString;
  bands: Band[];
}

/** How many sessions ahead models of daily bars look. */
export const HORIZONS = [1, 5, 20] as const;
export type Horizon = (typeof HORIZONS)[number];

/** Of any model: sessions, the next hour, or the rest of the day; in the order in which they are shown. */
export const MODEL_HORIZONS = ['1h', 'eod', '1', '5', '20'] as const;
export type ModelHorizon = (typeof MODEL_HORIZONS)[number];

/** Shares of the gain first, of the loss first and of neither; together one. */
export interface BarrierShares {
  upper: number;
  lower: number;
  vertical: number;
}

/** Which of two prices will be touched first, from the open of the next session on. */
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
  last_close: DecimalString;
  horizon_sessions: number;
  expected_return_share: number;
  probability_up: number;
  /** Standard deviation of daily log-returns; null when there was nothing to learn it from. */
  volatility_share: number | null;
  barriers: Barriers | null;
  steps: ForecastStep[];
}

/** Why a signal is what it is: a stable code and the numbers that decided. */
export interface Reason {
  code: string;
  [number_name: string]: unknown;
}

export interface Contribution {
  feature: string;
  value: number | null;
  contribution_share: number;
}

export interface Contributions {
  base_share: number;
  items: Contribution[];
  other_share: number;
  total_share: number;
}

export interface Signal {
  id: string;
  symbol: string;
  origin: Origin;
  model_version: string;
  snapshot_hash: string;
  made_at: Instant;
  as_of: Day;
  action: Action;
  reason: Reason;
  reason_text: string;
  horizon_sessions: number;
  next_session: Day | null;
  valid_until: Day | null;
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
  contributions: Contributions;
}

/** A number with the interval in which the truth may lie. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  level: number;
}

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
  horizon: ModelHorizon;
  state: string;
  origin: Origin;
  trained_at: Instant;
  first_day: Day;
  last_day: Day;
  rows_count: number;
  symbols_count: number;
  snapshot_hash: string;
  seed: number;
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
  horizon_sessions: number;
  from: Day;
  to: Day;
  days_count: number;
  rows_count: number;
  symbols_count: number;
  protocol: Protocol;
  /** Whether the order of the forecasts can be told from luck, in either language. */
  sentence: { tr: string; en: string };
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
  evaluation: Evaluation;
}

export interface FindingCount {
  code: string;
  severity: Severity;
  count: number;
}

/** Above the warning band, inside it, or below the gate of training. */
export type QualityBand = 'good' | 'warning' | 'refused';

/** What a stretch of data is made of, and its score. */
export interface Score {
  score_share: number;
  expected_count: number;
  error_rows_count: number;
  warning_rows_count: number;
}

export interface SourceScore extends Score {
  source: string;
  band: QualityBand;
  symbols_count: number;
}

export interface QualitySummary {
  symbol: string;
  source: string;
  basis: string;
  origin: Origin;
  interval: string;
  received_count: number;
  accepted_count: number;
  quarantined_count: number;
  unverifiable_count: number;
  missing_sessions_count: number;
  warning_rows_count: number;
  score_share: number;
  band: QualityBand;
  first_day: Day | null;
  last_day: Day | null;
  /** Whether models and charts use this source of the symbol. */
  is_primary: boolean;
  findings: FindingCount[];
}

export interface DataQuality extends Page<QualitySummary> {
  as_of: Instant | null;
  threshold_share: number;
  good_share: number;
  score_share: number | null;
  band: QualityBand | null;
  sources: SourceScore[];
}

export interface MonthScore extends Score {
  /** Its first day. */
  month: Day;
}

export interface RunScore extends Score {
  recorded_at: Instant;
}

export interface QualityHistory {
  scope: string;
  months: MonthScore[];
  runs: RunScore[];
}

export interface Decision {
  verdict: 'accept' | 'reject';
  reason: string;
  decided_by: string;
  decided_at: Instant;
}

export interface Finding {
  id: string;
  symbol: string;
  interval: string;
  source: string;
  day: Day | null;
  opened_at: Instant | null;
  code: string;
  severity: Severity;
  quarantined: boolean;
  /** Whether the row can only be checked in part: it is neither a bar nor in quarantine. */
  unverifiable: boolean;
  decision: Decision | null;
  /** One English sentence. */
  text: string;
  /** The rule that was checked, in one English sentence. */
  rule: string;
  values: Record<string, unknown>;
}

export type Cell = 'bar' | 'quarantined' | 'accepted_by_hand' | 'missing' | 'not_yet';

export interface FreshnessRow {
  symbol: string;
  source: string;
  newest_day: Day | null;
  lag_sessions: number | null;
  cells: Cell[];
}

export interface Freshness extends Page<FreshnessRow> {
  as_of: Instant;
  sessions: Day[];
}

export type SourceState = 'ok' | 'failing' | 'open' | 'never';

export interface SourceStatus {
  source: string;
  state: SourceState;
  last_success_at: Instant | null;
  last_attempt_at: Instant | null;
  newest_day: Day | null;
  lag_sessions: number | null;
  failures_count: number;
  last_error: string | null;
  breaker: { state: 'closed' | 'open' | 'half_open'; retry_in_s: number | null } | null;
  rows_count: number;
  symbols_count: number;
  pieces_count: number;
}

export interface NightlyRun {
  due_at: Instant;
  started_at: Instant;
  finished_at: Instant | null;
  outcome: 'done' | 'failed' | 'running';
  detail: string | null;
}

export interface Sources {
  as_of: Instant;
  items: SourceStatus[];
  nightly: { enabled: boolean; next_run_at: Instant | null; last_run: NightlyRun | null };
}

export interface ComparedDay {
  day: Day;
  return_share_a: number | null;
  return_share_b: number | null;
  volume_a: number | null;
  volume_b: number | null;
  verdict: string;
}

export interface Reconciliation extends Page<ComparedDay> {
  symbol: string;
  a: string;
  b: string;
  from: Day | null;
  to: Day | null;
  compared_count: number;
  agreeing_count: number;
  agreement_share: number | null;
  return_correlation: number | null;
  volume_ratio_median: number | null;
  only_a_count: number;
  only_b_count: number;
}

export type DayKind = 'full' | 'half' | 'closed' | 'unknown';

export interface CalendarDay {
  day: Day;
  kind: DayKind;
  name: string | null;
  opens_at: Instant | null;
  closes_at: Instant | null;
  settles_on: Day | null;
}

export type StudyDirection = 'minimize' | 'maximize';
/** `running`: a trial was heard of lately; `finished`: its owner has closed it; `idle`: it can be continued. */
export type StudyState = 'running' | 'finished' | 'idle';
/** In the order in which they are told. */
export const TRIAL_STATES = ['complete', 'pruned', 'fail', 'running', 'waiting'] as const;
export type TrialState = (typeof TRIAL_STATES)[number];
/** The value of a parameter as people see it. */
export type ParamValue = number | string | boolean | null;

/** The best trial of a study with one objective. */
export interface BestTrial {
  number: number;
  /** Null where one is infinite. */
  values: (number | null)[];
  params: Record<string, ParamValue>;
}

export interface StudySummary {
  name: string;
  /** One for each objective, as `objectives`. */
  directions: StudyDirection[];
  objectives: string[];
  /** How far ahead the tuned model looks; null of a study that was not made by us. */
  horizon: ModelHorizon | null;
  /** What was tuned: `trees`, `lstm`, ... */
  part: string | null;
  state: StudyState;
  origin: Origin | null;
  snapshot_hash: string | null;
  trials: Record<TrialState, number>;
  best: BestTrial | null;
  started_at: Instant | null;
  as_of: Instant | null;
}

/** What the best value is worth, given that it is the best of many. */
export interface DeflatedScore {
  best: number;
  trials_count: number;
  /** The largest that as many trials of noise would be expected to show. */
  noise_maximum: number;
  /** The one less the other. */
  deflated: number;
}

/** The tuned configuration beside the one in force, on the days that no trial saw. */
export interface HoldOutComparison {
  sentence: { tr: string; en: string };
  [number_name: string]: unknown;
}

export interface Study extends StudySummary {
  user_attrs: Record<string, unknown>;
  /** The trials that were the best when they ended. */
  best_path: { number: number; value: number }[];
  /** The trials that no other is better than in everything; empty where there is one objective. */
  pareto: { number: number; values: (number | null)[] }[];
  /** Null where it was not computed. */
  deflated: DeflatedScore | null;
  /** Null where it was not made. */
  holdout: HoldOutComparison | null;
}

export interface Trial {
  number: number;
  state: TrialState;
  values: (number | null)[] | null;
  params: Record<string, ParamValue>;
  intermediate: { step: number; value: number | null }[];
  started_at: Instant | null;
  completed_at: Instant | null;
  duration_s: number | null;
  fail_reason: string | null;
}

export interface HistoryPoint {
  number: number;
  state: TrialState;
  value: number | null;
  /** The best value of the complete trials up to this number. */
  best: number | null;
}

export interface StudyHistory {
  direction: StudyDirection;
  points: HistoryPoint[];
}

export interface Importances {
  method: 'fanova';
  /** The largest first; together one. */
  items: { param: string; importance: number }[];
  trials_count: number;
  /** Why there are none. */
  reason: 'too_few_trials' | 'one_value' | null;
}

/** A parameter; the choices of a `categorical` one stand for 0, 1, ... */
export interface ParamAxis {
  name: string;
  kind: 'float' | 'int' | 'categorical';
  log: boolean;
  low: number;
  high: number;
  choices: ParamValue[] | null;
}

export interface SlicePlot {
  axis: ParamAxis;
  points: { number: number; x: number; value: number }[];
}

export interface ParallelCoordinates {
  axes: ParamAxis[];
  /** `x` on the axes; null where the trial has no such parameter. */
  lines: { number: number; value: number; x: (number | null)[] }[];
}

export interface ParetoPlot {
  objectives: string[];
  directions: StudyDirection[];
  points: { number: number; values: (number | null)[]; on_front: boolean }[];
}

/** A text in both languages. */
export interface Text {
  tr: string;
  en: string;
}

/** What one feature or component adds to a forecast. */
export interface ExplainedFeature {
  feature: string;
  value: number | null;
  contribution_share: number;
  name: Text;
  /** The name with the value, as a trader reads it. */
  text: Text;
}

/** How far an explanation by a straight line near the forecast can be trusted. */
export interface LimeQuality {
  /** The share of the forecast's variation nearby that the line tells. */
  r_squared: number;
  kernel_width: number;
  samples_count: number;
  /** Agreement in rank over repeated runs; null where it was not measured. */
  stability: number | null;
}

export type ExplanationMethod = 'shap' | 'lime';

export interface Explanation {
  symbol: string;
  origin: Origin;
  model_version: string;
  as_of: Day;
  horizon: ModelHorizon;
  method: ExplanationMethod;
  base_share: number;
  forecast_share: number;
  /** What base and contributions leave of the forecast. */
  residual_share: number;
  /** The largest first. */
  items: ExplainedFeature[];
  members: { kind: string; name: Text; weight: number; forecast_share: number; contribution_share: number }[];
  /** The strongest reasons in one sentence. */
  reasons: Text;
  /** Of `lime`; null of `shap`, which is exact. */
  quality: LimeQuality | null;
}

/** A forecast before and after some features were changed. */
export interface WhatIf {
  changes: { feature: string; name: Text; before: number | null; after: number }[];
  before: { forecast_share: number; probability_up: number | null };
  after: { forecast_share: number; probability_up: number | null };
  /** The largest change first. */
  moved: { feature: string; name: Text; before_share: number; after_share: number; change_share: number }[];
  /** What is held fixed. */
  held_fixed: Text;
}

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  parameter?: string;
  request_id: string;
}
