// What was found in the stored bars, and the state of their sources.

import type { JobState } from './jobs';
import type { Day, Instant, Origin, Page } from './vocabulary';

export type Severity = 'error' | 'warning' | 'info';

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
  started_at: Instant | null;
  finished_at: Instant | null;
  outcome: JobState;
  detail: string | null;
}

/** How the source of prices of this moment is doing, as the process that answered sees it. */
export interface LiveSourceStatus {
  source: string;
  /** Of several processes one follows it, and only that one knows the numbers. */
  followed_here: boolean;
  connected: boolean;
  stale: boolean | null;
  newest_quote_at: Instant | null;
  age_s: number | null;
  last_heard_at: Instant | null;
  connections_count: number;
  shown_count: number;
  refused: { reason: string; count: number }[];
  last_error: string | null;
  breaker: { state: 'closed' | 'open' | 'half_open'; retry_in_s: number | null } | null;
}

export interface Sources {
  as_of: Instant;
  items: SourceStatus[];
  live: LiveSourceStatus | null;
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
