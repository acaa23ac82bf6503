// Champions beside challengers, the rule that was declared, and what it says.

import type { Day, Estimate, Horizon, Instant, Text } from './vocabulary';

export type ExperimentState = 'running' | 'promoted' | 'champion_stays' | 'no_decision' | 'invalid' | 'stopped';
export type ExperimentMetric = 'rank_ic' | 'brier' | 'return_after_costs' | 'coverage_error';

/** What is known of a challenger; `metric` is that of the guardrail that stopped it. */
export interface Verdict {
  kind: 'too_early' | 'undecided' | 'better' | 'worse' | 'too_small' | 'guardrail_broken';
  metric?: ExperimentMetric;
}

export interface ExperimentSummary {
  id: string;
  horizon: Horizon;
  state: ExperimentState;
  champion: string;
  challengers: string[];
  mode: 'shadow' | 'split';
  metric: ExperimentMetric;
  declared_at: Instant;
  concluded_at: Instant | null;
  days_count: number;
  days_min: number;
  days_max: number;
  sentence: Text;
}

export interface Guardrail {
  metric: ExperimentMetric;
  loss_max: number;
}

export interface ExperimentDesign {
  mode: 'shadow' | { split: { weights: number[] } };
  error_level: number;
  improvement_min: number;
  guardrails: Guardrail[];
  covariate: { name: string; mean: number } | null;
  missing_share_max: number;
  /** Absent when what is replaced is not watched. */
  watch_days?: number;
}

export interface GuardrailReport extends Guardrail {
  improvement: Estimate | null;
}

export interface ChallengerReport {
  version: string;
  verdict: Verdict;
  improvement: Estimate | null;
  p_value: number;
  variance_removed_share: number | null;
  guardrails: GuardrailReport[];
  sentence: Text;
}

export interface ExperimentReport {
  /** What the rule says; done at the next run, where the experiment is still `running`. */
  state: { kind: 'too_early' | 'running' | 'promoted' | 'champion_stays' | 'no_decision' | 'invalid' };
  from: Day | null;
  to: Day | null;
  days_count: number;
  /** The champion first; empty in shadow mode. */
  units_by_arm: number[];
  sample_ratio_p_value: number | null;
  unit_days_count: number;
  /** The champion first; empty in split mode. */
  missing_by_arm: number[];
  challengers: ChallengerReport[];
}

/** What was known after a day that was judged. */
export interface ExperimentDay {
  day: Day;
  days_count: number;
  challengers: { version: string; improvement: Estimate | null }[];
}

export interface SignedStep {
  at: Instant;
  by: string;
  reason: string;
}

export interface Experiment extends ExperimentSummary {
  design: ExperimentDesign;
  design_sha256: string;
  declared: SignedStep;
  concluded: SignedStep | null;
  report: ExperimentReport;
  exposures_count: number;
  open_count: number;
  open_from: Day | null;
  path: ExperimentDay[];
}
