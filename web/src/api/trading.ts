import { get, PAGE_ROWS, path, post, postOnce, remove, type Query } from './client';
import type { NewOrder, NewPortfolio, Order, OrderPreview, Portfolio, PortfolioDay, PortfolioEvent, Portfolios, TradingState } from './schema/trading';
import type { Page } from './schema/vocabulary';

const portfolioOf = (id: string, part = ''): string => `/portfolios/${encodeURIComponent(id)}${part}`;

/** The newest `count` of a list, or all where there are fewer; `next` tells whether there are more. */
async function newest<T>(resource: string, query: Query, count: number, signal?: AbortSignal): Promise<Page<T>> {
  const items: T[] = [];
  let next: string | null = null;
  do {
    const limit = Math.min(count - items.length, PAGE_ROWS);
    const page: Page<T> = await get(path(resource, { ...query, limit, cursor: next }), signal);
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < count);
  return { items, next };
}

export const portfolios = (signal?: AbortSignal): Promise<Portfolios> => get(path('/portfolios'), signal);
export const openPortfolio = (wanted: NewPortfolio): Promise<Portfolio> => post(path('/portfolios'), wanted);
export const closePortfolio = (id: string): Promise<Portfolio> => post(path(portfolioOf(id, '/close')), {});

export const portfolioEvents = (id: string, count: number, signal?: AbortSignal): Promise<Page<PortfolioEvent>> =>
  newest(portfolioOf(id, '/events'), {}, count, signal);
export async function portfolioDays(id: string, signal?: AbortSignal): Promise<PortfolioDay[]> {
  return (await get<Page<PortfolioDay>>(path(portfolioOf(id, '/days')), signal)).items;
}

/** The newest orders of a portfolio that are open, or that have ended. */
export const orders = (portfolio: string, isOpen: boolean, count: number, signal?: AbortSignal): Promise<Page<Order>> =>
  newest('/orders', { portfolio, open: String(isOpen) }, count, signal);
/** What an order would come to; nothing of it is kept. */
export const previewOrder = (wanted: NewOrder, signal?: AbortSignal): Promise<OrderPreview> => post(path('/orders/preview'), wanted, signal);
/** The same key with the same order places it once, however often it is sent. */
export const placeOrder = (wanted: NewOrder, key: string): Promise<Order> => postOnce(path('/orders'), wanted, key);
export const cancelOrder = (id: string): Promise<Order> => remove(path(`/orders/${encodeURIComponent(id)}`));

export const tradingState = (signal?: AbortSignal): Promise<TradingState> => get(path('/admin/trading'), signal);
export const haltTrading = (reason: string): Promise<TradingState> => post(path('/admin/trading/halt'), { reason });
export const resumeTrading = (reason: string): Promise<TradingState> => post(path('/admin/trading/resume'), { reason });
