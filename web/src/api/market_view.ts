import { get, PAGE_ROWS, path, type Query } from './client';
import type { MarketOverview, Regime, Scenario, Screen, Sectors } from './schema/market_view';

export function overview(signal?: AbortSignal): Promise<MarketOverview> {
  return get<MarketOverview>(path('/market/overview'), signal);
}

export function sectors(signal?: AbortSignal): Promise<Sectors> {
  return get<Sectors>(path('/market/sectors', { limit: PAGE_ROWS }), signal);
}

export function regime(signal?: AbortSignal): Promise<Regime> {
  return get<Regime>(path('/market/regime'), signal);
}

export function scenario(query: Query, signal?: AbortSignal): Promise<Scenario> {
  return get<Scenario>(path('/scenarios', { ...query, limit: PAGE_ROWS }), signal);
}

/** The first page of what is found; no market has more shares than a page has rows. */
export function screen(query: Query, signal?: AbortSignal): Promise<Screen> {
  return get<Screen>(path('/screener', { ...query, limit: PAGE_ROWS }), signal);
}
