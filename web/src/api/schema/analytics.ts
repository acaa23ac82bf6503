// What administrators are told of the service: requests, people, limits and errors.

import type { Instant, Page } from './vocabulary';

/** Requests of a window, and how long they took; quantiles are within `sketch_error` of the truth. */
export interface Usage {
  requests_count: number;
  /** 4xx but 429. */
  client_errors_count: number;
  /** 429. */
  refused_count: number;
  /** 5xx. */
  errors_count: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  mean_ms: number | null;
  last_at: Instant | null;
}

/** By what requests are put together. */
export const USAGE_BY = ['route', 'account', 'key'] as const;
export type UsageBy = (typeof USAGE_BY)[number];

export interface UsageItem extends Usage {
  /** The route, or the name of the person or the key; `(no route)`, `(nobody)`, `(no key)` and `(other)` where there is none. */
  name: string;
  method: string | null;
  /** Of a key, whose it is. */
  account: string | null;
  key: string | null;
}

export interface UsagePage extends Page<UsageItem> {
  as_of: Instant;
  from: Instant;
  to: Instant;
  step_s: number;
  /** How far quantiles may be from the truth, as a share of it. */
  sketch_error: number;
  total: Usage;
}

export interface UsagePoint extends Omit<Usage, 'last_at'> {
  at: Instant;
}

export interface UsageSeries {
  from: Instant;
  to: Instant;
  step_s: number;
  points: UsagePoint[];
}

export interface OverviewPoint {
  at: Instant;
  requests_count: number;
  refused_count: number;
  errors_count: number;
  p95_ms: number | null;
}

/** How the service does, beside the window of the same length before; null where not all of that is kept. */
export interface AdminOverview {
  as_of: Instant;
  from: Instant;
  to: Instant;
  requests: { count: number; before_count: number | null };
  errors: { share: number | null; before_share: number | null };
  latency: { p95_ms: number | null; before_p95_ms: number | null };
  people: { active_count: number; before_active_count: number | null };
  limits: { refused_count: number; before_refused_count: number | null };
  sessions_count: number;
  series: { step_s: number; points: OverviewPoint[] };
  endpoints: UsageItem[];
  errors_open_count: number;
  jobs: { waiting_count: number; running_count: number; failed_count: number };
}

export const ACTIVITY_KINDS = ['sign_in', 'view', 'search', 'export', 'alert', 'order'] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

export interface Activity {
  at: Instant;
  kind: string;
  account: string;
  account_name: string | null;
  subject: string | null;
  request_id: string | null;
}

export interface ActivityPoint {
  at: Instant;
  active_count: number;
  sign_ins_count: number;
  views_count: number;
  searches_count: number;
  exports_count: number;
  alerts_count: number;
  orders_count: number;
}

export interface ActivitySummary {
  from: Instant;
  to: Instant;
  step_s: number;
  kinds: { kind: string; count: number }[];
  points: ActivityPoint[];
}

export interface RateLimits {
  from: Instant;
  to: Instant;
  policies: { class: string; requests: number; period_s: number }[];
  /** Who was refused; without an account it is not known who asked, or they were too many to tell apart. */
  items: { class: string; account: string | null; account_name: string | null; key: string | null; is_other: boolean; refused_count: number; last_at: Instant | null }[];
  series: { step_s: number; points: { at: Instant; refused_count: number }[] };
}

export const ERROR_KINDS = ['panic', 'internal', 'job', 'page', 'other'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];
export const ERROR_STATES = ['open', 'resolved', 'muted'] as const;
export type ErrorState = (typeof ERROR_STATES)[number];

/** Errors of the same kind at the same place. */
export interface ErrorGroup {
  id: string;
  kind: ErrorKind;
  title: string;
  place: string;
  state: ErrorState;
  first_at: Instant;
  last_at: Instant;
  events_count: number;
  last_request_id: string | null;
  release: string;
}

export interface ErrorEvent {
  at: Instant;
  message: string;
  request_id: string | null;
  route: string | null;
  release: string;
  /** What was told in the same request or run before it. */
  breadcrumbs: { at: Instant; level: string; message: string }[];
}

export interface ErrorGroupDetails extends ErrorGroup {
  events: ErrorEvent[];
}
