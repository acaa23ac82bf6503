import type { Caveat, Evaluation } from '../api/schema/models';
import { isWithinSession } from '../api/schema/vocabulary';
import type { Language } from './dictionary';
import { day, number, percent } from './format';

type Sentence = (evaluation: Evaluation, language: Language) => string;

function judged(evaluation: Evaluation): { judged: number; shown: number } {
  return {
    judged: evaluation.by_symbol.filter((record) => record.rank_ic !== null).length,
    shown: evaluation.by_symbol.filter((record) => record.skill_shown).length,
  };
}

function slippage(evaluation: Evaluation, language: Language): string {
  return percent(language, evaluation.protocol.costs.slippage_share ?? null, 3);
}

/** What the numbers of an evaluation do not say, by its code. */
const CAVEATS: Record<string, Record<Language, Sentence>> = {
  survivorship_unknown: {
    tr: () => 'Semboller, verisi verilenlerdir; borsadan ayrılan şirketler eksik olabilir, bu da ortalama getiriyi yüksek gösterir.',
    en: () =>
      'The symbols are those whose bars were given; companies that left the exchange may be missing, which flatters average returns.',
  },
  vendor_adjusted_prices: {
    tr: () => 'Getiriler, varsa veri sağlayıcının düzeltilmiş kapanışıyla hesaplanır; yanlış düzeltme yanlış getiridir.',
    en: () => 'Returns use the vendor’s adjusted closes where there are any; a wrong adjustment is a wrong return.',
  },
  fills_assumed: {
    tr: ({ horizon }) =>
      `Alımların sonraki ${isWithinSession(horizon) ? 'saatin' : 'seansın'} açılış fiyatından, her miktarda ve hisse tavana kilitliyken de gerçekleştiği varsayılır.`,
    en: ({ horizon }) =>
      `Purchases are taken to be filled at the next ${isWithinSession(horizon) ? 'hour' : 'session'}’s opening price, for any amount and even when the share is locked at its limit.`,
  },
  costs_assumed: {
    tr: (evaluation, language) => `Her işlem için ${slippage(evaluation, language)} kayma bir varsayımdır; ölçülmemiştir.`,
    en: (evaluation, language) => `Slippage of ${slippage(evaluation, language)} a side is an assumption; it was not measured.`,
  },
  configurations_tried: {
    tr: (evaluation, language) =>
      `${number(language, evaluation.protocol.configurations_tried_count)} yapılandırma denendi. Beceriyi sınayan aralık bunu hesaba katar, öteki aralıklar katmaz.`,
    en: (evaluation, language) =>
      `Configurations tried: ${number(language, evaluation.protocol.configurations_tried_count)}. The interval by which skill is judged allows for it; the other intervals do not.`,
  },
  many_symbols_judged: {
    tr: (evaluation, language) => {
      const { judged: count, shown } = judged(evaluation);
      return `${number(language, count)} sembol sınandı, ${number(language, shown)} tanesi geçti; aralıklar, geçenlerin en çok %5’i rastlantıyla geçecek kadar geniş tutuldu.`;
    },
    en: (evaluation, language) => {
      const { judged: count, shown } = judged(evaluation);
      return `${number(language, count)} symbols were judged and ${number(language, shown)} passed, by intervals so wide that 5% of those that pass do so by luck at most.`;
    },
  },
  bands_suppose_stability: {
    tr: () => 'Bantlar, gelecek hatalar geçmiştekilere benzediği sürece sözünü tutar; tutma oranı bunun ne kadar doğru çıktığını gösterir.',
    en: () => 'The bands hold their level when errors to come resemble those of the past; the coverage says how far that was so.',
  },
  order_not_direction: {
    tr: () => 'Rank IC, aynı günün sembollerini birbiriyle karşılaştırır; piyasanın yönü hakkında bir şey söylemez.',
    en: () => 'The rank IC compares the symbols of a day with each other; it says nothing on where the market goes.',
  },
  few_symbols: {
    tr: () => 'Çoğu günde beşten az sembol olduğu için rank IC zaman içinde ölçüldü; bir günün sembolleri piyasanın hareketini paylaşır.',
    en: () =>
      'There are fewer than five symbols on most days, so the rank IC is measured over time; the symbols of a day share the market’s move.',
  },
  sectors_unknown: {
    tr: () => 'Sembollerin sektörü bilinmiyor; bu yüzden kaydı tek bir sektörün taşıyıp taşımadığı söylenemiyor.',
    en: () => 'The sectors of the symbols are unknown, so whether one sector carries the record is not told.',
  },
  trees_given: {
    tr: (evaluation, language) =>
      `Ağaçlar başka yerde öğrendi. Onları veren, ${day(language, evaluation.protocol.given_trees_known_until ?? null)} gününden sonraki hiçbir fiyatı bilmediklerini söylüyor; biliyorlarsa sicil olduğundan iyi görünür ve bu burada anlaşılamaz.`,
    en: (evaluation, language) =>
      `The trees learned elsewhere. Whoever gave them says that they know no price after ${day(language, evaluation.protocol.given_trees_known_until ?? null)}; if they do, the record is too good, and that cannot be told here.`,
  },
};

export const CAVEAT_CODES: readonly string[] = Object.keys(CAVEATS);

/** A caveat as a sentence; one that is not known here keeps the server's own words. */
export function caveatSentence(language: Language, caveat: Caveat, evaluation: Evaluation): string {
  return CAVEATS[caveat.code]?.[language](evaluation, language) ?? caveat.text;
}
