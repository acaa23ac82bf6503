// Why a forecast is what it is, and what it would be.

import type { Day, Horizon, Origin, Text } from './vocabulary';

/** What one feature or component adds to a forecast. */
export interface ExplainedFeature {
  feature: string;
  value: number | null;
  /** The value in its own unit; null where there is none. */
  value_text: Text | null;
  contribution_share: number;
  name: Text;
  /** The name with the value, as a trader reads it. */
  text: Text;
  /** Only of `lime`. */
  repeats?: Repeats;
}

/** A feature when LIME draws again. */
export interface Repeats {
  /** Share of the runs in which it was in the line. */
  selected_share: number;
  /** Standard deviation of what it adds; null of one run. */
  deviation_share: number | null;
}

/** How far an explanation by a straight line near the forecast can be trusted. */
export interface LimeQuality {
  /** The share of the forecast's variation nearby that the line tells. */
  r_squared: number;
  kernel_width: number;
  samples_count: number;
  /** Mean share of the features that two runs have in common. */
  stability: number;
  runs_count: number;
  /** Of the first run; the others have those after it. */
  seed: number;
}

export type ExplanationMethod = 'shap' | 'lime';

export interface Explanation {
  symbol: string;
  origin: Origin;
  model_version: string;
  as_of: Day;
  horizon: Horizon;
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
  /** The texts are the values in the feature's own unit. */
  changes: { feature: string; name: Text; before: number | null; before_text: Text | null; after: number; after_text: Text }[];
  before: { forecast_share: number; probability_up: number };
  after: { forecast_share: number; probability_up: number };
  /** The largest change first. */
  moved: { feature: string; name: Text; before_share: number; after_share: number; change_share: number }[];
  /** What is held fixed. */
  held_fixed: Text;
}
