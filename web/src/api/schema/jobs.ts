// Background work: runs of jobs and when they run by themselves.

import type { Estimate, Instant, Text } from './vocabulary';

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
export const JOB_NAMES = ['nightly-ingest', 'retraining', 'key-care', 'tuning', 'backup', 'restore-drill'] as const;
/** Those that are asked for on the page of jobs; backups have a page of their own. */
export const ASKED_JOBS: readonly string[] = ['nightly-ingest', 'retraining', 'key-care', 'tuning'];
export type JobName = (typeof JOB_NAMES)[number];

export interface JobStage {
  name: string;
  state: JobState;
  began_at: Instant | null;
  ended_at: Instant | null;
  part: string;
  done: number;
  total: number;
  told: string | null;
}

export interface JobPart {
  id: number;
  name: string;
  state: JobState;
  started_at: Instant | null;
  finished_at: Instant | null;
  attempts_count: number;
  part: string;
  done: number;
  total: number;
  detail: string | null;
}

export interface JobRun {
  id: number;
  job: string;
  state: JobState;
  is_silent: boolean;
  due_at: Instant;
  asked_by: string | null;
  reason: string | null;
  started_at: Instant | null;
  finished_at: Instant | null;
  attempts_count: number;
  cancel_asked_by: string | null;
  retry_at: Instant | null;
  detail: string | null;
  done_share: number | null;
  eta: Instant | null;
  stages: JobStage[];
  parts: JobPart[];
}

export interface JobSchedule {
  job: JobName;
  is_enabled: boolean;
  next_at: Instant | null;
}

export interface Jobs {
  items: JobRun[];
  next: string | null;
  schedules: JobSchedule[];
}

export interface JobLine {
  number: number;
  at: Instant;
  is_failure: boolean;
  line: string;
}

/** What becomes of a model that was trained anew, with what that rests on. */
export interface RetrainingDecision {
  horizon: string;
  candidate: string;
  champion: string | null;
  verdict: string;
  rule_sha256: string;
  comparison: { difference: Estimate | null; days_count: number; days_min: number } | null;
  sentence: Text;
}

/** Distances between a window and what a model learned from. */
export interface Distances {
  psi: number;
  ks: number;
  wasserstein: number;
}

export interface FeatureDrift {
  name: string;
  distances: Distances;
  thresholds: Distances;
  has_drifted: boolean;
}

/** A measure of a model on new days, and the bounds within which it should be. */
export interface PerformanceCheck {
  measure: 'rank_ic' | 'brier' | 'coverage';
  estimate: Estimate | null;
  days_count: number;
  days_min: number;
  low: number | null;
  high: number | null;
  is_alarm: boolean;
}

/** What has drifted of one champion. */
export interface DriftReport {
  horizon: string;
  model_version: string;
  inputs: { features: FeatureDrift[]; drifted_count: number; windows_count: number } | null;
  label: FeatureDrift | null;
  performance: PerformanceCheck[];
  is_alarm: boolean;
  sentence: Text;
}

export interface JobDetails extends JobRun {
  plan: Record<string, unknown> | null;
  decisions: RetrainingDecision[];
  drift: DriftReport[];
  lines: JobLine[];
}

/** Who takes a step, and why. */
export interface JobStep {
  by: string;
  reason: string;
}
