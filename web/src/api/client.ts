import type { Day, Horizon, Page, Problem } from './schema/vocabulary';
import type { Bar, BarsPage, CalendarDay, SymbolSummary } from './schema/market';
import type { ModelDifference } from './schema/model_difference';
import type { ModelSummary, ModelVersion } from './schema/models';
import type { DataQuality, Finding, Freshness, QualityHistory, Reconciliation, Severity, Sources } from './schema/quality';
import type { ModelState } from './schema/registry';
import { patience, retryTime } from './patience.svelte';
import type { Absence, Forecast, Signal } from './schema/signals';

const BASE = '/api/v1';
/** How many rows one page may bring; the server's own limit. */
export const PAGE_ROWS = 1000;
/** A guard against a cursor that never ends. */
const PAGES_MAX = 200;
/** Findings are read one by one, so they come in short pages. */
const FINDINGS_PER_PAGE = 25;
/** How often the same is asked again by itself. */
const TRIES_MAX = 4;

/** What the server answered instead of what was asked for, or that it did not answer at all. */
export class ApiError extends Error {
  /** Stable code of the problem; `unreachable` when no answer came. */
  readonly code: string;
  readonly status: number;
  readonly detail: string | null;
  readonly requestId: string | null;
  /** When the same may be asked again, in milliseconds since 1970; null where nothing was said of it. */
  readonly retryAt: number | null;
  /** All that the answer said, numbers beside the code included. */
  readonly members: Record<string, unknown>;

  constructor(
    code: string,
    status: number,
    title: string,
    detail: string | null,
    requestId: string | null,
    retryAt: number | null = null,
    members: object = {},
  ) {
    super(title);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.requestId = requestId;
    this.retryAt = retryAt;
    this.members = { ...members };
  }
}

/** What is done about an answer that is none because of who asks; the session of the reader sees to it. */
export interface Gatekeeper {
  /** The token that a change needs; null before anybody has signed in. */
  csrfToken(): string | null;
  /** Takes the reader to where the lack that `code` names is made good. */
  lead(code: 'not_signed_in' | 'second_factor_required' | 'enrolment_required'): void;
  /** Asks for a fresh proof; false when the reader does not give one. */
  stepUp(): Promise<boolean>;
  /** Reads the session again; true when the token of changes is another one than before. */
  renew(): Promise<boolean>;
}

let keeper: Gatekeeper | null = null;
export function keepGate(wanted: Gatekeeper): void {
  keeper = wanted;
}

export type Query = Record<string, string | number | null | undefined>;

export function path(resource: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? `${BASE}${resource}` : `${BASE}${resource}?${text}`;
}

/** What an answer that is none says of itself. */
async function problemOf(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id');
  const retryAt = retryTime(response.headers.get('retry-after'), Date.now());
  try {
    const problem = (await response.json()) as Partial<Problem>;
    return new ApiError(
      problem.code ?? `http_${response.status}`,
      response.status,
      problem.title ?? response.statusText,
      problem.detail ?? null,
      problem.request_id ?? requestId,
      retryAt,
      problem,
    );
  } catch {
    return new ApiError(`http_${response.status}`, response.status, response.statusText, null, requestId, retryAt);
  }
}

type Init = RequestInit & { headers?: Record<string, string> };

/** One request and its answer, whatever its status. */
async function send(url: string, { headers, ...init }: Init, signal?: AbortSignal): Promise<Response> {
  const token = init.method === undefined ? null : (keeper?.csrfToken() ?? null);
  const csrf: Record<string, string> = token === null ? {} : { 'x-csrf-token': token };
  try {
    return await fetch(url, { credentials: 'same-origin', ...init, signal, headers: { accept: 'application/json', ...csrf, ...headers } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('unreachable', 0, 'the server did not answer', null, null);
  }
}

/** Whether the same may be asked again now, after `problem` was met for the `tries`th time. */
async function isWorthAnotherTry(problem: ApiError, isReading: boolean, tries: number, signal?: AbortSignal): Promise<boolean> {
  switch (problem.code) {
    case 'rate_limited':
      return isReading && tries <= TRIES_MAX && problem.retryAt !== null && (await patience.wait(problem.retryAt, signal));
    case 'step_up_required':
      return tries <= TRIES_MAX && (await keeper?.stepUp()) === true;
    case 'cross_site':
      // Another tab has signed in anew, so that the token of this one is old.
      return tries === 1 && !isReading && (await keeper?.renew()) === true;
    case 'not_signed_in':
      // Another tab may have shown again who asks, which changed the cookie while this was on its way.
      if (tries === 1 && keeper?.csrfToken()) return true;
      keeper?.lead(problem.code);
      return false;
    case 'second_factor_required':
    case 'enrolment_required':
      keeper?.lead(problem.code);
      return false;
    default:
      return false;
  }
}

/**
 * The server's answer, or that nothing has changed (304). Who asks too often waits as long as the
 * server says when it is only to read; who lacks a fresh proof is asked for one, and the request is
 * then made again.
 */
export async function ask(url: string, init: Init, signal?: AbortSignal): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const response = await send(url, init, signal);
    if (response.ok || response.status === 304) return response;
    const problem = await problemOf(response);
    if (!(await isWorthAnotherTry(problem, init.method === undefined, tries, signal))) throw problem;
  }
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(url, {}, signal);
  return (await response.json()) as T;
}

/** Sends a document with a change and gives the answer, which may be none. */
async function change<T>(method: string, url: string, document: unknown, signal?: AbortSignal, key?: string): Promise<T> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const init = document === undefined ? { headers } : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(document) };
  const response = await ask(url, { method, ...init }, signal);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export function post<T>(url: string, document: unknown, signal?: AbortSignal): Promise<T> {
  return change('POST', url, document, signal);
}
/** As {@link post}, and what is sent again with the same key is done once. */
export function postOnce<T>(url: string, document: unknown, key: string): Promise<T> {
  return change('POST', url, document, undefined, key);
}
export function patch<T>(url: string, document: unknown): Promise<T> {
  return change('PATCH', url, document);
}
/** Called `remove` because `delete` is a word of the language. */
export function remove<T>(url: string): Promise<T> {
  return change('DELETE', url, undefined);
}

async function all<T, P extends Page<T>>(
  resource: string,
  query: Query,
  signal?: AbortSignal,
): Promise<{ first: P; items: T[] }> {
  const first = await get<P>(path(resource, query), signal);
  const items = [...first.items];
  let next = first.next;
  for (let page = 1; next !== null && page < PAGES_MAX; page += 1) {
    const more = await get<P>(path(resource, { ...query, cursor: next }), signal);
    items.push(...more.items);
    next = more.next;
  }
  return { first, items };
}

export async function symbols(signal?: AbortSignal): Promise<SymbolSummary[]> {
  const { items } = await all<SymbolSummary, Page<SymbolSummary>>('/symbols', { limit: PAGE_ROWS }, signal);
  return items;
}

/** The newest bars (or the page that `cursor` names), oldest first. */
export function bars(symbol: string, cursor: string | null, signal?: AbortSignal): Promise<BarsPage> {
  return get<BarsPage>(path('/bars', { symbol, interval: '1d', limit: PAGE_ROWS, cursor }), signal);
}

/** Puts an older page in front of the bars that are already here. */
export function prepend(older: Bar[], newer: Bar[]): Bar[] {
  const first = newer[0]?.day;
  return first === undefined ? older : [...older.filter((bar) => bar.day < first), ...newer];
}

export async function forecast(symbol: string, horizon: Horizon, signal?: AbortSignal): Promise<Forecast | null> {
  const page = await get<Page<Forecast>>(path('/forecasts', { symbol, horizon }), signal);
  return page.items[0] ?? null;
}

/** The newest signal of a symbol, or why it has none. */
export async function latestSignal(symbol: string, horizon: Horizon, signal?: AbortSignal): Promise<Signal | Absence> {
  const own = await get<Page<Signal>>(path('/signals', { symbol, horizon }), signal);
  if (own.items[0] !== undefined) return own.items[0];
  const others = await get<Page<Signal>>(path('/signals', { horizon, limit: 1 }), signal);
  if (others.items.length > 0) return 'not_of_symbol';
  const { items } = await newestModels({ horizon, state: 'champion' }, 1, signal);
  return items.length === 0 ? 'no_model' : 'not_made';
}

export async function models(signal?: AbortSignal): Promise<ModelSummary[]> {
  const { items } = await all<ModelSummary, Page<ModelSummary>>('/models', {}, signal);
  return items;
}

/** Which versions are wanted; null asks about nothing. */
export interface ModelFilter {
  horizon: Horizon | null;
  state: ModelState | null;
}

/** The newest `count` versions, or all where there are fewer; `next` tells whether there are more. */
export async function newestModels({ horizon, state }: ModelFilter, count: number, signal?: AbortSignal): Promise<Page<ModelSummary>> {
  const items: ModelSummary[] = [];
  let next: string | null = null;
  do {
    const limit = Math.min(count - items.length, PAGE_ROWS);
    const page: Page<ModelSummary> = await get(path('/models', { horizon, state, limit, cursor: next }), signal);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < count);
  return { items, next };
}

const versionPath = (version: string): string => `/models/${encodeURIComponent(version)}`;

export function model(version: string, signal?: AbortSignal): Promise<ModelVersion> {
  return get<ModelVersion>(path(versionPath(version)), signal);
}

/** Where the card of `version` is, as a document or, in a language, as Markdown. */
export const cardPath = (version: string): string => path(`${versionPath(version)}/card`);
export const cardMarkdownPath = (version: string, language: string): string => path(`${versionPath(version)}/card.md`, { language });

/** How `version` differs from `against`. */
export function modelDifference(version: string, against: string, signal?: AbortSignal): Promise<ModelDifference> {
  return get<ModelDifference>(path(`${versionPath(version)}/diff`, { against }), signal);
}

export async function dataQuality(signal?: AbortSignal): Promise<DataQuality> {
  const { first, items } = await all<DataQuality['items'][number], DataQuality>(
    '/data-quality',
    { limit: PAGE_ROWS },
    signal,
  );
  return { ...first, items };
}

/** Which findings are wanted; what is left out is not asked about. */
export interface FindingFilter {
  symbol?: string | null;
  source?: string | null;
  code?: string | null;
  severity?: Severity | null;
  quarantined?: boolean | null;
  decided?: boolean | null;
}

export function findings(filter: FindingFilter, cursor: string | null, signal?: AbortSignal): Promise<Page<Finding>> {
  const { quarantined, decided, ...rest } = filter;
  const word = (value: boolean | null | undefined): string | null => (value === null || value === undefined ? null : String(value));
  const query = { ...rest, quarantined: word(quarantined), decided: word(decided), limit: FINDINGS_PER_PAGE, cursor };
  return get<Page<Finding>>(path('/data-quality/findings', query), signal);
}

export function qualityHistory(scope: string, signal?: AbortSignal): Promise<QualityHistory> {
  return get<QualityHistory>(path('/data-quality/history', { scope }), signal);
}

/** The last sessions of each series, all pages. */
export async function freshness(sessions: number, signal?: AbortSignal): Promise<Freshness> {
  const { first, items } = await all<Freshness['items'][number], Freshness>(
    '/data-quality/freshness',
    { sessions, limit: PAGE_ROWS },
    signal,
  );
  return { ...first, items };
}

export function sources(signal?: AbortSignal): Promise<Sources> {
  return get<Sources>(path('/data-quality/sources'), signal);
}

/** Two sources of a symbol beside each other; null when it has one only. */
export async function reconciliation(symbol: string, cursor: string | null, signal?: AbortSignal): Promise<Reconciliation | null> {
  try {
    return await get<Reconciliation>(
      path(`/data-quality/${encodeURIComponent(symbol)}/reconciliation`, { limit: 50, cursor }),
      signal,
    );
  } catch (error) {
    if (error instanceof ApiError && error.code === 'no_second_source') return null;
    throw error;
  }
}

export async function calendar(from: Day, to: Day, signal?: AbortSignal): Promise<CalendarDay[]> {
  const page = await get<Page<CalendarDay>>(path('/market/calendar', { from, to }), signal);
  return page.items;
}
