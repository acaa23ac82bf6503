import type { Language } from './dictionary';

const tr = {
  title: 'Topluluğun üyeleri',
  help: 'Hata farkı, üyenin kare hatası eksi topluluğunki, günlerin ortalaması (Diebold-Mariano; Harvey-Leybourne-Newbold düzeltmesiyle). Aralığı sıfırı içeriyorsa üye topluluktan ayırt edilemez.',
  member: 'Üye',
  weight: 'Ağırlık',
  foldWeights: 'Katlardaki ağırlık',
  regimes: { calm: 'sakin piyasada', turbulent: 'çalkantıda' },
  foldWeightsOf: (regime: string, weights: string) => `Kat kat ağırlık, ${regime}: ${weights}`,
  lossAbove: 'Hata farkı, %²',
  verdict: 'Hatası',
  verdicts: {
    better: 'topluluktan iyi',
    worse: 'topluluktan kötü',
    same: 'topluluktan ayırt edilemiyor',
    unknown: 'hesaplanamadı',
  },
};

const en: typeof tr = {
  title: 'Members of the ensemble',
  help: 'The difference in error is the member’s squared error less the ensemble’s, the mean over the days (Diebold-Mariano, with the correction of Harvey, Leybourne and Newbold). Where its interval contains zero, the member is not distinguishable from the ensemble.',
  member: 'Member',
  weight: 'Weight',
  foldWeights: 'Weight over the folds',
  regimes: { calm: 'calm market', turbulent: 'turbulent' },
  foldWeightsOf: (regime, weights) => `Weight fold by fold, ${regime}: ${weights}`,
  lossAbove: 'Difference in error, %²',
  verdict: 'Its error',
  verdicts: {
    better: 'better than the ensemble',
    worse: 'worse than the ensemble',
    same: 'not distinguishable from the ensemble',
    unknown: 'not computable',
  },
};

/** The words about the members of an ensemble, which the shell does not carry. */
export function memberWords(language: Language): typeof tr {
  return language === 'tr' ? tr : en;
}
