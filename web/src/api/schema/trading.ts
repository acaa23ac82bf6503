// Paper portfolios and paper orders: no broker is asked. The JSON is as the handlers of crates/server send it.
import type { Day, DecimalString, Instant, Origin, Page } from './vocabulary';

export const SIDES = ['buy', 'sell'] as const;
export type Side = (typeof SIDES)[number];
export const ORDER_KINDS = ['market', 'limit'] as const;
export type OrderKind = (typeof ORDER_KINDS)[number];
export const VALIDITIES = ['day', 'until'] as const;
export type Validity = (typeof VALIDITIES)[number];

export interface Position {
  symbol: string;
  quantity_shares: number;
  /** Those that no open sale offers. */
  free_shares: number;
  cost: DecimalString;
  average_cost: DecimalString | null;
  last_close: DecimalString | null;
  last_day: Day | null;
  origin: Origin | null;
  source: string | null;
  /** Whether a session whose data are due has come since. */
  is_stale: boolean;
  day_change_share: number | null;
  value: DecimalString | null;
  /** Part of the value of the portfolio. */
  value_share: number | null;
  unrealised: DecimalString | null;
}

export interface TailRisk {
  level: number;
  value_at_risk_share: number;
  expected_shortfall_share: number;
  returns_count: number;
}

export interface Portfolio {
  id: string;
  name: string;
  opened_at: Instant;
  closed_at: Instant | null;
  /** The last session that was applied. */
  through: Day;
  /** The newest day of a close that it is valued at; null without positions. */
  as_of: Day | null;
  opening_cash: DecimalString;
  value: DecimalString;
  cash: DecimalString;
  settled_cash: DecimalString;
  /** What open purchases bind at most. */
  reserved_cash: DecimalString;
  /** The cash that they do not bind. */
  free_cash: DecimalString;
  invested: DecimalString;
  /** Part of the value. */
  invested_share: number | null;
  profit: DecimalString;
  profit_share: number;
  day_profit: DecimalString | null;
  unrealised: DecimalString;
  realised: DecimalString;
  charges: DecimalString;
  dividends: DecimalString;
  pending: { settles_on: Day; amount: DecimalString }[];
  open_orders_count: number;
  positions: Position[];
  largest_position_share: number | null;
  /** Shares of which no close is known. */
  missing: string[];
  costs: { commission_share: number; bsmv_share_of_commission: number; exchange_fee_share: number; slippage_share: number };
  limits: { order_notional_max: DecimalString; position_share_max: number };
  tail_risks: TailRisk[];
  drawdown: { share: number; peak_day: Day; trough_day: Day } | null;
}

/** Whether orders are taken, and why not. */
export interface Halt {
  halted: boolean;
  reason: string | null;
}

export interface Portfolios extends Page<Portfolio> {
  trading: Halt;
}

export interface NewPortfolio {
  name: string;
  opening_cash: DecimalString;
}

export interface Charges {
  commission: DecimalString;
  bsmv: DecimalString;
  exchange_fee: DecimalString;
  total: DecimalString;
}

export interface Fill {
  day: Day;
  symbol: string;
  side: Side;
  quantity_shares: number;
  price: DecimalString;
  amount: DecimalString;
  charges: Charges;
  settles_on: Day;
  /** Why it was not all of what remained. */
  limited_by: string | null;
}

/** What happened to a portfolio: `event` names the kind, and each kind has members of its own. */
export interface PaperEvent {
  event: string;
  [member: string]: unknown;
}

export interface PortfolioEvent {
  number: number;
  day: Day;
  order: string | null;
  event: PaperEvent;
}

export interface PortfolioDay {
  day: Day;
  value: DecimalString;
  cash: DecimalString;
  /** Shares that count with an older close. */
  stale: string[];
}

export type OrderStatus = 'open' | 'filled' | 'cancelled' | 'expired';

export interface Order {
  id: string;
  portfolio: string;
  symbol: string;
  side: Side;
  quantity_shares: number;
  kind: OrderKind;
  limit_price: DecimalString | null;
  validity: Validity;
  until: Day | null;
  placed_at: Instant;
  first_session: Day;
  last_session: Day;
  status: OrderStatus;
  filled_shares: number;
  remaining_shares: number;
  ended_on: Day | null;
  cancelled_at: Instant | null;
  cancel_reason: 'owner' | 'halt' | 'closed' | null;
  /** Why the last session executed nothing of the rest; of an order that has expired. */
  unfilled_because: string | null;
  fills: Fill[];
}

export interface NewOrder {
  portfolio: string;
  symbol: string;
  side: Side;
  quantity_shares: number;
  kind: OrderKind;
  limit_price?: DecimalString;
  validity: Validity;
  until?: Day;
}

export interface OrderPreview {
  origin: Origin | null;
  estimated_price: DecimalString;
  amount: DecimalString;
  charges: Charges;
  /** What it binds until it ends, at most; zero for a sale. */
  reserve: DecimalString;
  first_session: Day;
  executes_from: Instant;
  cash_after: DecimalString;
  /** Between which prices the first session trades; null where that is not known yet. */
  price_limits: { lower: DecimalString; upper: DecimalString } | null;
  /** How far valid prices are from each other, at the price that is reckoned with. */
  price_step: DecimalString;
}

export interface TradingState {
  halted: boolean;
  reason: string | null;
  changed_at: Instant | null;
  changed_by: string | null;
  changed_by_name: string | null;
  open_orders_count: number;
}
