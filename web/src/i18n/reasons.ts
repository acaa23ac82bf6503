import type { Reason } from '../api/schema/signals';
import type { Language } from './dictionary';
import { levelPercent, list, signedNumber } from './format';
import { NamedNumbers } from './named_numbers';

/** The numbers of a reason, each in the language of the reader. */
class Numbers extends NamedNumbers {
  /** An estimate with its interval, "0,012 (%95: -0,004 – 0,028)"; null when there is none. */
  estimate(name: string): string | null {
    const value = this.values[name];
    if (typeof value !== 'object' || value === null) return null;
    const { value: centre, low, high, level } = value as Record<string, unknown>;
    if (typeof centre !== 'number' || typeof low !== 'number' || typeof high !== 'number') return null;
    const signed = (x: number): string => signedNumber(this.language, x, 3);
    const share = levelPercent(this.language, typeof level === 'number' ? level : 0.95);
    return `${signed(centre)} (${share}: ${signed(low)} – ${signed(high)})`;
  }

  conditions(name: string): string | null {
    const value = this.values[name];
    if (!Array.isArray(value) || value.length === 0) return null;
    return list(
      this.language,
      value.map((code) => conditionName(this.language, String(code))),
    );
  }
}

interface Sentences {
  tr: (numbers: Numbers) => string;
  en: (numbers: Numbers) => string;
}

/** Why a signal is what it is, one sentence a code of the trading crate. */
const REASONS: Record<string, Sentences> = {
  expected_gain_above_costs: {
    tr: (n) =>
      `Beklenen ${n.signed('expected_return_share')} getiri, ${n.share('cost_share')} tutarındaki gidiş dönüş maliyetini aşıyor.`,
    en: (n) =>
      `The expected return of ${n.signed('expected_return_share')} exceeds the round-trip cost of ${n.share('cost_share')}.`,
  },
  expected_loss_above_costs: {
    tr: (n) =>
      `Beklenen ${n.signed('expected_return_share')} kayıp, ${n.share('cost_share')} tutarındaki gidiş dönüş maliyetinden büyük. SAT, elde olanı azaltıp yenisini almamaktır; açığa satış değildir.`,
    en: (n) =>
      `The expected loss of ${n.signed('expected_return_share')} is larger than the round-trip cost of ${n.share('cost_share')}. SELL means reducing what one has and not buying; it is not a short sale.`,
  },
  no_skill_shown: {
    tr: (n) => {
      const unmet = n.conditions('unmet');
      const ic = n.estimate('rank_ic');
      return (
        'Model, örneklem dışında beceri gösteremedi' +
        (unmet === null ? '' : `: ${unmet}`) +
        (ic === null ? '. Rank IC için yeterli gün yok.' : `. Rank IC ${ic}.`)
      );
    },
    en: (n) => {
      const unmet = n.conditions('unmet');
      const ic = n.estimate('rank_ic');
      return (
        'The model has shown no skill out of sample' +
        (unmet === null ? '' : `: ${unmet}`) +
        (ic === null ? '. There are too few days for a rank IC.' : `. Rank IC ${ic}.`)
      );
    },
  },
  no_skill_for_symbol: {
    tr: (n) => `Model genelde beceri gösterdi, bu sembolde göstermedi: rank IC ${n.estimate('rank_ic') ?? '–'}, sıfırın üstünde değil.`,
    en: (n) => `The model has shown skill in general, but not on this symbol: rank IC ${n.estimate('rank_ic') ?? '–'} is not above zero.`,
  },
  symbol_record_too_short: {
    tr: (n) =>
      `Modelin bu semboldeki karnesi ${n.count('days_count')} günlük; yargıya varmak için ${n.count('days_count_min')} gün gerekir.`,
    en: (n) =>
      `The model’s record on this symbol is ${n.count('days_count')} days long; ${n.count('days_count_min')} are needed to judge it.`,
  },
  within_costs: {
    tr: (n) =>
      `Beklenen ${n.signed('expected_return_share')} getiri, ${n.share('cost_share')} tutarındaki gidiş dönüş maliyetini karşılamıyor.`,
    en: (n) =>
      `The expected return of ${n.signed('expected_return_share')} does not cover the round-trip cost of ${n.share('cost_share')}.`,
  },
  band_spans_zero: {
    tr: (n) =>
      `Modelin karnesine göre beklenen getiri ${n.signed('low')} ile ${n.signed('high')} arasında: ${n.share('cost_share')} maliyetten sonra kazanç da olabilir kayıp da.`,
    en: (n) =>
      `By the model’s record the expected return lies between ${n.signed('low')} and ${n.signed('high')}: after costs of ${n.share('cost_share')} it may be a gain or a loss.`,
  },
  next_session_unknown: {
    tr: (n) => `Takvim, ${n.day('as_of')} gününden sonraki seansı bilmiyor; bu yüzden fiyat sınırı denetlenemiyor.`,
    en: (n) => `The calendar does not know the session after ${n.day('as_of')}, so no price limit can be checked.`,
  },
  limits_unknown: {
    tr: (n) => `${n.day('day')} gününün fiyat sınırları bilinmiyor.`,
    en: (n) => `The price limits of ${n.day('day')} are not known.`,
  },
  within_one_step: {
    tr: (n) =>
      `Beklenen ${n.signed('expected_return_share')} getiri, ${n.price('last_close')} kapanışından sonraki geçerli fiyat adımına (${n.price('tick')}) ulaşmıyor.`,
    en: (n) =>
      `The expected return of ${n.signed('expected_return_share')} does not reach the next valid price step (${n.price('tick')}) beyond the last close of ${n.price('last_close')}.`,
  },
};

/** What is missing when a condition of the skill rule is not met. */
const CONDITIONS: Record<string, { tr: string; en: string }> = {
  rank_ic_above_zero: { tr: 'rank IC sıfırdan ayırt edilemiyor', en: 'the rank IC cannot be told from zero' },
  plausible_rank_ic: { tr: 'rank IC gerçek olamayacak kadar yüksek', en: 'the rank IC is too high to be true' },
  positive_in_most_folds: {
    tr: 'rank IC, sınama bloklarının üçte ikisinde artı değil',
    en: 'the rank IC is not positive in two thirds of the test blocks',
  },
  error_below_zero_forecast: {
    tr: 'hata, “değişmez” demenin hatasından küçük değil',
    en: 'the error is not below that of forecasting zero',
  },
  error_below_training_mean: {
    tr: 'hata, eğitim ortalamasını tahmin etmenin hatasından küçük değil',
    en: 'the error is not below that of forecasting the training mean',
  },
  error_below_seasonal_naive: {
    tr: 'hata, son dönemi yinelemenin hatasından küçük değil',
    en: 'the error is not below that of repeating the last period',
  },
};

export const REASON_CODES: readonly string[] = Object.keys(REASONS);
export const CONDITION_CODES: readonly string[] = Object.keys(CONDITIONS);

/** The reason as a sentence; a code that is not known here falls back to the server's own words. */
export function reasonSentence(language: Language, reason: Reason, fallback: string): string {
  const sentences = REASONS[reason.code];
  return sentences === undefined ? fallback : sentences[language](new Numbers(language, reason));
}

export function conditionName(language: Language, code: string): string {
  return CONDITIONS[code]?.[language] ?? code;
}
