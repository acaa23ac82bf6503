import type { Alarm, SkillReason } from '../api/schema/models';
import type { Language } from './dictionary';
import { percent, signedNumber, signedPercent } from './format';

interface Sentences {
  tr: (measured: string, bound: string) => string;
  en: (measured: string, bound: string) => string;
}

/** The conditions of the skill rule, each with what was measured and what it had to exceed. */
const CONDITIONS: Record<string, Sentences & { unit: 'number' | 'share' | 'score' }> = {
  rank_ic_above_zero: {
    unit: 'number',
    tr: (measured) => `Rank IC aralığının, denenen yapılandırma sayısı hesaba katılmış alt ucu sıfırın üstünde olmalı: ${measured}`,
    en: (measured) => `The lower end of the rank IC interval, which allows for the configurations tried, must lie above zero: ${measured}`,
  },
  plausible_rank_ic: {
    unit: 'number',
    tr: (measured, bound) => `Rank IC inanılabilir olmalı, en çok ${bound}: ${measured}`,
    en: (measured, bound) => `The rank IC must be plausible, ${bound} at most: ${measured}`,
  },
  positive_in_most_folds: {
    unit: 'share',
    tr: (measured, bound) => `Rank IC, sınama bloklarının en az ${bound} kadarında artı olmalı: ${measured}`,
    en: (measured, bound) => `The rank IC must be positive in at least ${bound} of the test blocks: ${measured}`,
  },
  error_below_zero_forecast: {
    unit: 'score',
    tr: (measured) => `Hata, “değişmez” demenin hatasından küçük olmalı: kazanç ${measured}`,
    en: (measured) => `The error must be below that of forecasting zero: gain ${measured}`,
  },
  error_below_training_mean: {
    unit: 'score',
    tr: (measured) => `Hata, eğitim ortalamasının hatasından küçük olmalı: kazanç ${measured}`,
    en: (measured) => `The error must be below that of the training mean: gain ${measured}`,
  },
  error_below_seasonal_naive: {
    unit: 'score',
    tr: (measured) => `Hata, son dönemi yinelemenin hatasından küçük olmalı: kazanç ${measured}`,
    en: (measured) => `The error must be below that of repeating the last period: gain ${measured}`,
  },
};

/** What is wrong with a result that is too good, and where to look, by its code. */
const ALARMS: Record<string, { tr: (measured: string, bound: string) => string; en: (measured: string, bound: string) => string }> = {
  implausible_rank_ic: {
    tr: (measured, bound) =>
      `Alarm: ${measured} rank IC, günlük fiyatlarda dürüst bir tahminin ulaşabileceği ${bound} sınırının üstünde. İnanmadan önce geleceği gören bir özellik ya da etiket, battığı için eksik olan şirketler ve sonraki işlemin yetiştiği bayat fiyatlar aranmalı.`,
    en: (measured, bound) =>
      `Alarm: a rank IC of ${measured} is above ${bound}, which no honest forecast of daily prices reaches. Before it is believed, look for a feature or a label that knows the future, for companies that are missing because they failed, and for stale prices that the next trade catches up with.`,
  },
};

export const ALARM_CODES: readonly string[] = Object.keys(ALARMS);

/** An alarm as a sentence; one that is not known here keeps the server's own words. */
export function alarmSentence(language: Language, alarm: Alarm): string {
  const sentence = ALARMS[alarm.code];
  return sentence === undefined ? alarm.text : sentence[language](signedNumber(language, alarm.measured, 3), signedNumber(language, alarm.bound, 2));
}

/** What is added where errors are those of the difference to the mean of the day. */
const RELATIVE = { tr: '(günün ortalamasına göre)', en: '(relative to the mean of the day)' };

/** How one condition came out; a condition that is not known here keeps the server's sentence. */
export function skillSentence(language: Language, reason: SkillReason): string {
  const condition = CONDITIONS[reason.condition];
  if (condition === undefined) return reason.text;
  const shown = (value: number | null): string => {
    if (condition.unit === 'number') return signedNumber(language, value, 3);
    return condition.unit === 'share' ? percent(language, value, 0) : signedPercent(language, value);
  };
  const sentence = condition[language](shown(reason.measured), shown(reason.bound));
  return reason.relative_to_day ? `${sentence} ${RELATIVE[language]}` : sentence;
}
