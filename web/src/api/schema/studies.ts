// Studies of settings, their trials and what is drawn of them.

import type { Horizon, Instant, Origin, Text } from './vocabulary';

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
  horizon: Horizon | null;
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
  sentence: Text;
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
