// Where versions of models stand, and what they were made from.

import type { Instant } from './vocabulary';

/** Where a version stands, in the order in which they are told. */
export const MODEL_STATES = ['champion', 'staged', 'candidate', 'retired'] as const;
export type ModelState = (typeof MODEL_STATES)[number];

/** Where a part of a tuned configuration comes from. */
export interface TunedPart {
  part: string;
  study: string;
  trial_number: number;
  /** Trials of the study with a result. */
  trials_count: number;
}

/** Everything that a model was made from. */
export interface Lineage {
  code_version: string;
  symbols: string[];
  /** The symbols left out, and why. */
  excluded: { symbol: string; reason: string }[];
  feature_names: string[];
  /** Absent when the configuration was not tuned. */
  tuned?: TunedPart[];
}

/** A change of state. */
export interface StateChange {
  /** Null when the version was registered. */
  from: ModelState | null;
  to: ModelState;
  at: Instant;
  /** A person, or the command that follows a rule. */
  by: string;
  reason: string;
}
