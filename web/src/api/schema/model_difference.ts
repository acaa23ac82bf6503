// How a version of a model differs from another: `before` is the other, `after` the one asked about.

export const METRICS = ['rank_ic', 'hit_rate', 'rmse', 'brier', 'coverage80', 'net_return'] as const;
export type Metric = (typeof METRICS)[number];

/** A figure out of sample, with the ends of its interval where it has one. */
export interface Figure {
  value: number;
  interval: [number, number] | null;
}

export interface MetricDifference {
  metric: Metric;
  /** Null when it cannot be told. */
  before: Figure | null;
  after: Figure | null;
}

/** A field of the lineage; null where a version has no such field. */
export interface FieldDifference {
  field: string;
  before: unknown;
  after: unknown;
}

/** What only one of two lists has: `added` only the second, `removed` only the first. */
export interface Exchanged {
  added: string[];
  removed: string[];
}

export interface ModelDifference {
  before: string;
  after: string;
  same_artifact: boolean;
  same_bars: boolean;
  same_test_days: boolean;
  lineage: FieldDifference[];
  symbols: Exchanged;
  features: Exchanged;
  metrics: MetricDifference[];
}
