import { ApiError, get, path, post } from './client';
import type { Horizon } from './schema/vocabulary';
import type { Explanation, ExplanationMethod, WhatIf } from './schema/explanations';

/** Why a forecast is what it is; null where no explanation was kept with it. */
export async function explanation(
  symbol: string,
  horizon: Horizon,
  method: ExplanationMethod,
  signal?: AbortSignal,
): Promise<Explanation | null> {
  try {
    return await get<Explanation>(path('/explanations', { symbol, horizon, method }), signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** The forecast as it would be with other values of some features. */
export async function whatIf(symbol: string, horizon: Horizon, changes: Record<string, number>, signal?: AbortSignal): Promise<WhatIf> {
  return post<WhatIf>(path('/explanations/what-if'), { symbol, horizon, changes }, signal);
}
