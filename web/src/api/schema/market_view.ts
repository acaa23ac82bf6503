// The market as a whole: overview, sectors, regime, scenario, screener.

import type { Action } from './signals';
import type { Day, DecimalString, Instant, Origin, Page } from './vocabulary';

export interface Change {
  sessions: number;
  change_share: number | null;
}

export interface LeftOutShares {
  below_gate_count: number;
  older_count: number;
}

export interface MarketIndex {
  symbol: string;
  state: 'known' | 'missing' | 'below_gate';
  as_of: Day | null;
  close: DecimalString | null;
  changes: Change[];
  source: string | null;
}

export interface Breadth {
  advancers_count: number;
  decliners_count: number;
  unchanged_count: number;
  unknown_count: number;
  above_means: { sessions: number; above_count: number; known_count: number; above_share: number | null }[];
  new_highs_count: number;
  new_lows_count: number;
  year_known_count: number;
}

export interface Mover {
  symbol: string;
  name: string | null;
  close: DecimalString;
  change_share: number | null;
  turnover_try: number | null;
  turnover_multiple: number | null;
}

export interface NewSignal {
  symbol: string;
  action: Action;
  reason_code: string;
  as_of: Day;
  made_at: Instant;
  expected_return_share: number;
  probability_up: number;
}

export interface MarketOverview {
  as_of: Day | null;
  stale_sessions: number | null;
  origin: Origin | null;
  sources: string[];
  indices: MarketIndex[];
  shares_count: number;
  left_out: LeftOutShares;
  breadth: Breadth;
  turnover: { day_try: number | null; known_count: number; mean_20_try: number | null; multiple: number | null };
  gainers: Mover[];
  losers: Mover[];
  most_traded: Mover[];
  signals: { horizon_sessions: number; buy_count: number; sell_count: number; hold_count: number; items: NewSignal[] };
}

export interface SectorWindow {
  sessions: number;
  known_count: number;
  mean_share: number | null;
  median_share: number | null;
  relative_share: number | null;
}

export interface Sector {
  sector: string | null;
  members_count: number;
  windows: SectorWindow[];
  breadth: Breadth;
}

export interface Sectors extends Page<Sector> {
  as_of: Day | null;
  benchmark: 'XU100' | 'equal_weighted';
  benchmark_changes: Change[];
  left_out: LeftOutShares;
}

export type RegimeState = 'calm' | 'turbulent' | 'unknown';

export interface RegimeStatistics {
  sessions_count: number;
  ended_spells_count: number;
  mean_spell_sessions: number | null;
  mean_log_return: number | null;
  next_mean_log_return: number | null;
  volatility_share: number | null;
}

export interface RegimeDay {
  day: Day;
  turbulent_probability: number | null;
  mean_log_return: number | null;
}

export interface Regime extends Page<RegimeDay> {
  as_of: Day | null;
  state: RegimeState;
  turbulent_probability: number | null;
  since: Day | null;
  known_from: Day | null;
  calm: RegimeStatistics;
  turbulent: RegimeStatistics;
  spells: { state: RegimeState; first_day: Day; last_day: Day; sessions_count: number }[];
}

export interface Beta {
  factor: 'market' | 'usdtry';
  slope: number;
  standard_error: number;
  shrunk: number;
  shrunk_error: number;
}

export interface MoveDistribution {
  conditional_share: number;
  quantile_05_share: number;
  quantile_25_share: number;
  quantile_50_share: number;
  quantile_75_share: number;
  quantile_95_share: number;
  loss_probability: number;
}

export interface ScenarioPortfolio {
  betas: Beta[];
  r2: number;
  observations_count: number;
  outcome: MoveDistribution;
}

export interface ScenarioItem extends ScenarioPortfolio {
  symbol: string;
  name: string | null;
}

export interface Episode {
  from: Day;
  to: Day;
  market_share: number;
  usdtry_share: number | null;
  known_count: number;
  mean_share: number | null;
  worst_symbol: string | null;
  worst_share: number | null;
  portfolio_share: number | null;
  portfolio_known_share: number | null;
}

export interface Scenario extends Page<ScenarioItem> {
  as_of: Day | null;
  benchmark: 'XU100' | 'equal_weighted';
  has_usdtry: boolean;
  horizon_sessions: number;
  observations_min: number;
  paths_count: number;
  known_count: number;
  refused: { symbol: string; reason: string; days_count: number | null }[];
  left_out: LeftOutShares;
  portfolio: ScenarioPortfolio | null;
  episodes: Episode[];
}

export interface ScreenItem {
  symbol: string;
  name: string | null;
  sector: string | null;
  origin: Origin;
  close: DecimalString;
  action: Action | null;
  skill_shown: boolean | null;
  composite: number | null;
  values: Record<string, number | null>;
}

export interface Screen extends Page<ScreenItem> {
  as_of: Day | null;
  stale_sessions: number | null;
  shares_count: number;
  found_count: number;
  left_out: LeftOutShares;
  conditions: { name: string; unmet_count: number; unknown_count: number }[];
  criteria: { name: string; more_is_better: boolean; weight_share: number }[];
  sectors: string[];
}
