import { ask, get, PAGE_ROWS, path, type Query } from './client';
import type { Activity, ActivitySummary, AdminOverview, RateLimits, UsageBy, UsagePage, UsageSeries } from './schema/analytics';
import type { DataQuality } from './schema/quality';
import type { Instant, Page } from './schema/vocabulary';

/** From when to when is asked about. */
export interface Bounds {
  from: Instant;
  to: Instant;
}

/** Whose requests, or which. */
export interface UsageOf {
  route?: string;
  method?: string;
  account?: string;
  key?: string;
}

/** Which activities are wanted; null asks about nothing. */
export interface ActivityFilter {
  account: string | null;
  kind: string | null;
}

/** Activities are read one by one, so they come in short pages. */
const ACTIVITIES_PER_PAGE = 50;

export function overview(bounds: Bounds, signal?: AbortSignal): Promise<AdminOverview> {
  return get<AdminOverview>(path('/admin/overview', { ...bounds }), signal);
}

/** The first page of a table; `next` tells whether there are more rows than one can look through. */
export function usage(by: UsageBy, bounds: Bounds, signal?: AbortSignal): Promise<UsagePage> {
  return get<UsagePage>(path('/admin/api-usage', { by, ...bounds, limit: PAGE_ROWS }), signal);
}

export function usageSeries(bounds: Bounds, of: UsageOf, signal?: AbortSignal): Promise<UsageSeries> {
  return get<UsageSeries>(path('/admin/api-usage/series', { ...bounds, ...of }), signal);
}

/** The newest activities, or those before `cursor`. */
export function activities(bounds: Bounds, filter: ActivityFilter, cursor: string | null, signal?: AbortSignal): Promise<Page<Activity>> {
  return get<Page<Activity>>(path('/admin/activity', { ...bounds, ...filter, limit: ACTIVITIES_PER_PAGE, cursor }), signal);
}

export function activitySummary(bounds: Bounds, signal?: AbortSignal): Promise<ActivitySummary> {
  return get<ActivitySummary>(path('/admin/activity/summary', { ...bounds }), signal);
}

export function rateLimits(bounds: Bounds, signal?: AbortSignal): Promise<RateLimits> {
  return get<RateLimits>(path('/admin/rate-limits', { ...bounds }), signal);
}

/** All rows of a table as the server writes them. */
async function csv(resource: string, query: Query): Promise<string> {
  const response = await ask(path(resource, query), { headers: { accept: 'text/csv' } });
  return response.text();
}

export const usageCsv = (by: UsageBy, { from, to }: Bounds): Promise<string> => csv('/admin/api-usage.csv', { by, from, to });
export const activityCsv = (bounds: Bounds, { account, kind }: ActivityFilter): Promise<string> => csv('/admin/activity.csv', { ...bounds, account, kind });

/** The score of all data, without the rows of the symbols. */
export function qualityScore(signal?: AbortSignal): Promise<DataQuality> {
  return get<DataQuality>(path('/data-quality', { limit: 1 }), signal);
}
