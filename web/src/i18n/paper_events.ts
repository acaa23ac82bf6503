import type { PaperEvent } from '../api/schema/trading';
import type { Language } from './dictionary';
import { amountOf, lira } from './format';
import { NamedNumbers } from './named_numbers';
import { tradingWords } from './trading_words';

/** The members of an event; amounts and prices are decimal strings. */
class Members extends NamedNumbers {
  money(name: string): string {
    const value = this.values[name];
    return lira(this.language, typeof value === 'string' || typeof value === 'number' ? value : null);
  }

  amount(name: string): number {
    const value = this.values[name];
    return (typeof value === 'string' || typeof value === 'number' ? amountOf(value) : null) ?? 0;
  }

  inside(name: string): Members {
    const value = this.values[name];
    return new Members(this.language, typeof value === 'object' && value !== null ? { ...value } : {});
  }
}

/** Why an order was not filled, in words; `why` is its code. */
export function noFillText(language: Language, why: string): string {
  const words = tradingWords(language);
  return words.noFills[why] ?? words.noFillOther;
}

/** What happened to a portfolio, as a sentence. */
export function eventSentence(language: Language, event: PaperEvent): string {
  const { events, orders } = tradingWords(language);
  const members = new Members(language, event);
  switch (event.event) {
    case 'filled': {
      const fill = members.inside('fill');
      const charges = fill.inside('charges');
      const paid = charges.amount('commission') + charges.amount('bsmv') + charges.amount('exchange_fee');
      const side = orders.sides[fill.text('side') === 'sell' ? 'sell' : 'buy'];
      const sentence = events.filled(side, fill.count('shares'), fill.text('symbol'), fill.money('price'), fill.money('amount'), lira(language, paid));
      return `${sentence} ${events.settles(fill.day('settles_on'))}`;
    }
    case 'expired':
      return events.expired(members.text('symbol'), members.count('unfilled'), noFillText(language, members.text('why')));
    case 'dividend':
      return events.dividend(members.text('symbol'), members.count('shares'), members.money('per_share'), members.money('gross'), members.money('withheld'));
    case 'shares': {
      const sentence = events.shares(members.text('symbol'), members.count('before'), members.count('after'));
      return members.amount('paid_instead') > 0 ? `${sentence} ${events.paidInstead(members.money('paid_instead'))}` : sentence;
    }
    case 'rights_sold':
      return events.rightsSold(members.text('symbol'), members.count('shares'), members.money('amount'));
    default:
      return events.other;
  }
}
