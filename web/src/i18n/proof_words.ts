import type { Language } from './dictionary';

const tr = {
  comparisons: 'Karşılaştırmalar',
  comparisonsHelp:
    'Hata farkı, ötekinin kare hatası eksi modelinki, günlerin ortalaması; p değeri Diebold-Mariano sınamasının (Harvey-Leybourne-Newbold düzeltmesiyle). Sınama çoktur; p değerleri bunu hesaba katmaz.',
  against: 'Karşısında',
  lossAbove: 'Hata farkı, %²',
  pValue: 'p değeri',
  better: 'Daha iyi olan',
  betterWords: { model: 'model', other: 'öteki', not_told_apart: 'ayırt edilemiyor' },
  coefficients: 'Katsayılar',
  coefficient: 'Katsayı',
  neweyWest: 'Newey-West aralığıyla',
  bootstrap: 'Blok bootstrap aralığıyla',
  informationRatio: 'Bilgi oranı (ICIR)',
  blocks: (days: string, draws: string) => `Bootstrap, günleri ortalama ${days} günlük bloklarla ${draws} kez yeniden çeker (Politis-Romano, Politis-White).`,
  byYear: 'Yıl yıl',
  bySector: 'Sektör sektör',
  year: 'Yıl',
  sector: 'Sektör',
  days: 'Gün',
  gain: 'Sıfıra göre kazanç',
};

const en: typeof tr = {
  comparisons: 'Comparisons',
  comparisonsHelp:
    'The difference in error is the other’s squared error less the model’s, the mean over the days; the p-value is that of the Diebold-Mariano test (with the correction of Harvey, Leybourne and Newbold). There are many tests, for which the p-values make no allowance.',
  against: 'Against',
  lossAbove: 'Difference in error, %²',
  pValue: 'p-value',
  better: 'Better',
  betterWords: { model: 'the model', other: 'the other', not_told_apart: 'not told apart' },
  coefficients: 'Coefficients',
  coefficient: 'Coefficient',
  neweyWest: 'With Newey-West interval',
  bootstrap: 'With block bootstrap interval',
  informationRatio: 'Information ratio (ICIR)',
  blocks: (days, draws) => `The bootstrap draws the days anew ${draws} times, in blocks of ${days} days on average (Politis-Romano, Politis-White).`,
  byYear: 'Year by year',
  bySector: 'Sector by sector',
  year: 'Year',
  sector: 'Sector',
  days: 'Days',
  gain: 'Gain on zero',
};

/** The words about the proof of a model, which the shell does not carry. */
export function proofWords(language: Language): typeof tr {
  return language === 'tr' ? tr : en;
}
