import type { NewOrder, OrderKind, OrderPreview, Side, Validity } from '../../api/schema/trading';
import { addDays } from '../../i18n/format';

/** Parts of a lira, as the exchange's prices are kept: four decimals. */
const UNITS_PER_LIRA = 10_000;
/** How long after its first session an order may wait, in days; the server's own rule. */
export const VALIDITY_DAYS_MAX = 30;
/** More shares than a number of the page can count exactly are never meant. */
const SHARES_MAX = Number.MAX_SAFE_INTEGER;

/** What was typed into the ticket, as it was typed. */
export interface Ticket {
  side: Side;
  symbol: string;
  quantity: string;
  kind: OrderKind;
  price: string;
  validity: Validity;
  until: string;
}

/** A field that holds what cannot be sent. */
export type Fault = 'symbol' | 'quantity' | 'price' | 'until';

/** A number of lira with a comma or a dot, as a decimal string; null when it is none, or more than four decimals. */
export function typedAmount(text: string): string | null {
  const plain = text.trim().replace(',', '.');
  return /^\d{1,10}(\.\d{1,4})?$/.test(plain) && Number(plain) > 0 ? plain : null;
}

/** A whole number of shares, at least one; null when it is none. */
export function typedShares(text: string): number | null {
  const plain = text.trim();
  if (!/^\d{1,15}$/.test(plain)) return null;
  const shares = Number(plain);
  return shares >= 1 && shares <= SHARES_MAX ? shares : null;
}

/** `price` moved by so many steps, as a decimal string; null when it would not be positive. */
export function stepped(price: string, step: string, count: number): string | null {
  const units = Math.round(Number(price) * UNITS_PER_LIRA);
  const apart = Math.round(Number(step) * UNITS_PER_LIRA);
  if (!(apart > 0) || !Number.isFinite(units)) return null;
  // A price between two steps goes to the next one.
  const at = count > 0 ? Math.floor(units / apart) + count : Math.ceil(units / apart) + count;
  return at * apart > 0 ? decimal(at * apart) : null;
}

/** Units of 0.0001 lira as a decimal string of two decimals, or as many as it needs. */
function decimal(units: number): string {
  const fixed = (units / UNITS_PER_LIRA).toFixed(4);
  return fixed.replace(/0{1,2}$/, '');
}

/** Which fields cannot be sent; `from` is the first day that an order may name as its last. */
export function faultsOf(ticket: Ticket, known: readonly string[], from: string): Fault[] {
  const faults: Fault[] = [];
  if (!known.includes(ticket.symbol)) faults.push('symbol');
  if (typedShares(ticket.quantity) === null) faults.push('quantity');
  if (ticket.kind === 'limit' && typedAmount(ticket.price) === null) faults.push('price');
  const isDated = ticket.kind === 'limit' && ticket.validity === 'until';
  if (isDated && (ticket.until < from || ticket.until > addDays(from, VALIDITY_DAYS_MAX))) faults.push('until');
  return faults;
}

/** The order that a ticket without faults describes; a market order is for the day only and has no price. */
export function orderOf(ticket: Ticket, portfolio: string): NewOrder {
  const { side, symbol, kind } = ticket;
  const order: NewOrder = { portfolio, symbol, side, quantity_shares: typedShares(ticket.quantity) ?? 0, kind, validity: 'day' };
  if (kind === 'market') return order;
  order.limit_price = typedAmount(ticket.price) ?? '';
  if (ticket.validity === 'until') {
    order.validity = 'until';
    order.until = ticket.until;
  }
  return order;
}

/** The smallest order there is, by which it is asked whether the share can be ordered at this moment. */
export const smallestOrder = (portfolio: string, symbol: string): NewOrder => ({ portfolio, symbol, side: 'buy', quantity_shares: 1, kind: 'market', validity: 'day' });

/** What a purchase costs or a sale brings with its charges, in lira. */
export function totalOf(side: Side, { amount, charges }: Pick<OrderPreview, 'amount' | 'charges'>): number {
  return side === 'buy' ? Number(amount) + Number(charges.total) : Number(amount) - Number(charges.total);
}

/** What the address asks for, as far as it is something. */
export function ticketChoices(search: string): { portfolio: string | null; symbol: string; side: Side } {
  const query = new URLSearchParams(search);
  const symbol = (query.get('symbol') ?? '').toUpperCase();
  return {
    portfolio: query.get('portfolio'),
    symbol: /^[A-Z0-9]{1,12}$/.test(symbol) ? symbol : '',
    side: query.get('side') === 'sell' ? 'sell' : 'buy',
  };
}

/** A key under which a ticket is placed once, from what cannot be guessed. */
export function ticketKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
