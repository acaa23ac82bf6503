import type { ApiError } from '../api/client';
import type { Language } from './dictionary';
import { MISSING } from './format';
import { NamedNumbers } from './named_numbers';

interface Sentences {
  tr: (numbers: Numbers) => string;
  en: (numbers: Numbers) => string;
}

/** The numbers of a denial; amounts and prices are decimal strings. */
class Numbers extends NamedNumbers {
  /** Whether there is a number of this name. */
  has(name: string): boolean {
    return this.price(name) !== MISSING;
  }
}

/** Why a paper order is not taken, one sentence a code of the trading crate. */
const DENIALS: Record<string, Sentences> = {
  halted: {
    tr: () => 'Sanal işlemler durduruldu; yeni emir alınmıyor.',
    en: () => 'Paper trading is halted; no new orders are taken.',
  },
  closed: {
    tr: () => 'Bu portföy kapalı; emir alınmıyor.',
    en: () => 'This portfolio is closed; it takes no orders.',
  },
  no_bars: {
    tr: () => 'Bu hissenin doğrulanmış fiyatı yok; emir alınmıyor.',
    en: () => 'There is no validated price of this share; no order is taken.',
  },
  stale: {
    tr: (n) => `Fiyatlar eski: son gün ${n.day('last_day')}, oysa ${n.day('expected_day')} günü bitmişti. Yeni veri gelene kadar emir alınmıyor.`,
    en: (n) => `The prices are stale: the last day is ${n.day('last_day')}, and that of ${n.day('expected_day')} has ended. No order is taken until new data come.`,
  },
  nothing_ordered: {
    tr: () => 'Emrin adedi en az 1 olmalıdır.',
    en: () => 'An order is for one share at least.',
  },
  off_tick: {
    tr: (n) => `${n.price('price')} geçerli bir fiyat adımı değil.${n.has('below') ? ` Altındaki ${n.price('below')}.` : ''}${n.has('above') ? ` Üstündeki ${n.price('above')}.` : ''}`,
    en: (n) => `${n.price('price')} is no valid price step.${n.has('below') ? ` The one below is ${n.price('below')}.` : ''}${n.has('above') ? ` The one above is ${n.price('above')}.` : ''}`,
  },
  outside_limits: {
    tr: (n) => `${n.price('price')}, seansın fiyat sınırlarının dışında: ${n.price('lower')} – ${n.price('upper')}.`,
    en: (n) => `${n.price('price')} is outside of the price limits of the session: ${n.price('lower')} – ${n.price('upper')}.`,
  },
  limits_unknown: {
    tr: () => 'Seansın fiyat sınırları bilinmiyor; emir alınmıyor.',
    en: () => 'The price limits of the session are not known; no order is taken.',
  },
  notional_above_limit: {
    tr: (n) => `Emrin tutarı ${n.price('notional')} TL; tek emir için sınır ${n.price('limit')} TL.`,
    en: (n) => `The order comes to ${n.price('notional')} TRY; the limit of one order is ${n.price('limit')} TRY.`,
  },
  position_above_limit: {
    tr: (n) => `Bu hissenin portföydeki payı ${n.share('share')} olurdu; sınır ${n.share('limit')}.`,
    en: (n) => `This share would be ${n.share('share')} of the portfolio; the limit is ${n.share('limit')}.`,
  },
  cash_short: {
    tr: (n) => `Nakit yetmiyor: gereken ${n.price('needed')} TL, kullanılabilir ${n.price('available')} TL.`,
    en: (n) => `The cash is not enough: ${n.price('needed')} TRY are needed and ${n.price('available')} TRY are free.`,
  },
  shares_short: {
    tr: (n) => `Satılabilir ${n.count('free')} pay var, emir ${n.count('ordered')} pay için. Açığa satış yapılmaz.`,
    en: (n) => `${n.count('free')} shares are free to sell and the order is for ${n.count('ordered')}. There are no short sales.`,
  },
  too_many_open: {
    tr: (n) => `Portföyün açık emir sayısı en çok ${n.count('max')} olabilir; önce birini iptal edin.`,
    en: (n) => `A portfolio has at most ${n.count('max')} open orders; cancel one first.`,
  },
  ends_too_early: {
    tr: (n) => `Emrin son günü, ilk seansından (${n.day('first_session')}) önce.`,
    en: (n) => `The last day of the order is before its first session, ${n.day('first_session')}.`,
  },
  ends_too_late: {
    tr: (n) => `Emrin son günü en geç ${n.day('latest')} olabilir.`,
    en: (n) => `The last day of the order is ${n.day('latest')} at the latest.`,
  },
  market_lasts: {
    tr: () => 'Piyasa emri yalnız bir seans içindir; günlük verin ya da limit koyun.',
    en: () => 'A market order is for one session only; make it a day order or give a limit.',
  },
  too_large: {
    tr: () => 'Emrin tutarı hesaplanamayacak kadar büyük.',
    en: () => 'The order comes to more than can be reckoned with.',
  },
};

export const DENIAL_CODES: readonly string[] = Object.keys(DENIALS);

/** Denials that hold for every order of the share or of the portfolio at this moment, whatever it asks for. */
const OF_MOMENT = ['halted', 'closed', 'no_bars', 'stale', 'limits_unknown'];

/** The code of the denial that `problem` tells; null when it tells something else. */
export function denialOf({ code, members }: Pick<ApiError, 'code' | 'members'>): string | null {
  if (code !== 'order_denied') return null;
  return typeof members.denial === 'string' ? members.denial : '';
}

/** Whether no order could be placed now, not only this one. */
export function isOfMoment(problem: Pick<ApiError, 'code' | 'members'>): boolean {
  return OF_MOMENT.includes(denialOf(problem) ?? '') || problem.code === 'no_session';
}

const PROBLEMS: Record<string, { tr: string; en: string }> = {
  portfolio_not_found: { tr: 'Böyle bir portföyünüz yok.', en: 'You have no such portfolio.' },
  portfolio_closed: { tr: 'Bu portföy kapalı; yalnız okunabilir.', en: 'This portfolio is closed; it can only be read.' },
  order_not_found: { tr: 'Böyle bir emriniz yok.', en: 'You have no such order.' },
  order_not_open: { tr: 'Bu emir artık açık değil: gerçekleşmiş, iptal edilmiş ya da süresi dolmuş.', en: 'This order is open no longer: it was filled, cancelled, or has expired.' },
  order_key_reused: {
    tr: 'Bu fiş daha önce başka bir emirle gönderilmiş; yeniden önizleyip onaylayın.',
    en: 'This ticket was sent with another order before; preview and confirm it again.',
  },
  limit_reached: { tr: 'Bir kişinin açık portföy sayısı sınıra ulaştı; önce birini kapatın.', en: 'A person has no more open portfolios than this; close one first.' },
  trading_halt: { tr: 'Sanal işlemler zaten bu durumda; sayfa yenilendi.', en: 'Paper trading stands like that already; the page was read again.' },
  no_session: { tr: 'Takvim bundan sonraki seansı bilmiyor; emir alınamıyor.', en: 'The calendar knows no session after now; no order can be taken.' },
  changed_meanwhile: { tr: 'Portföy şu anda değişiyor; yeniden deneyin.', en: 'The portfolio is being changed at this moment; try again.' },
};

export const TRADING_PROBLEM_CODES: readonly string[] = Object.keys(PROBLEMS);

/** What a problem of paper trading means; null of one that other pages meet, too. A denial that is not known here falls back to the server's words. */
export function tradingSentence(language: Language, problem: Pick<ApiError, 'code' | 'members' | 'detail'>): string | null {
  const denial = denialOf(problem);
  if (denial !== null) return DENIALS[denial]?.[language](new Numbers(language, problem.members)) ?? problem.detail;
  return PROBLEMS[problem.code]?.[language] ?? null;
}
