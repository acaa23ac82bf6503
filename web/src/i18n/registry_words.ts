import type { Metric } from '../api/schema/model_difference';
import type { Text } from '../api/schema/vocabulary';
import type { Language } from './dictionary';

const tr = {
  everyHorizon: 'tüm ufuklar',
  everyState: 'tüm durumlar',
  noneHere: 'Bu seçime uyan sürüm yok.',
  clear: 'Seçimi kaldır',
  more: 'Daha eski sürümler',
  newest: (count: string) => `En yeni ${count} sürüm.`,
  trainedFrom: 'Eğitildi, öğrendiği günler',
  judged: 'Beceriye, denenen yapılandırma sayısına göre genişletilmiş bir aralıkla karar verilir; aşağıdakiler ondan dardır.',
  card: 'Model kartı',
  standing: {
    title: 'Bu duruma nasıl geldi?',
    nobody: 'yapan kişi yazılmamış',
    none: 'Kaydedilmiş bir değişiklik yok.',
    promote: 'Bu sürümü kullanıma almak için:',
    rollback: 'Kullanımdaki sürümden bir öncekine dönmek için:',
  },
  lineage: {
    features: 'Öznitelik',
    codeVersion: 'Program sürümü',
    artifact: 'Model dosyasının özeti (SHA-256)',
    trainingTook: 'Eğitimin süresi',
    seconds: (count: string) => `${count} s`,
    excluded: 'Dışarıda bırakılan sembol',
    tuned: 'Ayarların kaynağı',
    notTuned: 'Ayarlar bir çalışmayla aranmadı.',
    trial: (number: string, count: string) => `deneme ${number}, sonuç veren ${count} deneme arasından`,
    lists: 'Sembolleri ve öznitelikleri göster',
  },
  comparison: {
    title: 'Başka bir sürümle karşılaştırma',
    other: 'Karşılaştırılan',
    failed: 'Karşılaştırma alınamadı',
    alone: 'Bu ufukta başka sürüm yok.',
    thisOne: 'Bu sürüm',
    cautions: {
      horizons: 'İki sürümün ufku farklı; ölçüleri birbiriyle karşılaştırılamaz.',
      test_days: 'Karneler farklı günlere ait; aradaki fark modelden değil, günlerden de gelebilir.',
      bars: 'İki sürüm farklı çubuklardan öğrendi.',
      same_artifact: 'İki sürümün model dosyası bayt bayt aynı.',
    },
    alike: 'İki sürüm aynı çubuklardan öğrendi ve aynı günlerde sınandı.',
    measures: 'Örneklem dışı ölçüler',
    measure: 'Ölçü',
    intervals: 'Aralıklar',
    order: 'üstte karşılaştırılan, altta bu sürüm',
    overlap: 'Örtüşen aralıklar, birinin ötekinden iyi olduğunu göstermez.',
    metrics: {
      rank_ic: 'Rank IC',
      hit_rate: 'Yön isabeti',
      rmse: 'RMSE',
      brier: 'Brier puanı',
      coverage80: '%80 bandının tuttuğu',
      net_return: 'Dönem başına net getiri',
    } as Record<Metric, string>,
    better: { more: 'büyük olan iyi', less: 'küçük olan iyi', promised: 'söz verilene yakın olan iyi' },
    settings: 'Nelerden yapıldıkları',
    field: 'Alan',
    fields: {
      snapshot_hash: 'çubukların özeti',
      code_version: 'program sürümü',
      first_day: 'öğrenilen ilk gün',
      last_day: 'öğrenilen son gün',
      rows_count: 'öğrenilen satır',
      'spec.seed': 'tohum',
      'spec.horizon': 'ufuk',
    } as Record<string, string>,
    noFields: 'Ayarları, verileri ve tohumları aynı.',
    absent: 'yok',
    symbols: 'Semboller',
    features: 'Öznitelikler',
    same: 'aynı',
    onlyThis: 'yalnız bu sürümde',
    onlyOther: (version: string) => `yalnız ${version} sürümünde`,
  },
};

const en: typeof tr = {
  everyHorizon: 'all horizons',
  everyState: 'all states',
  noneHere: 'No version matches this choice.',
  clear: 'Clear the choice',
  more: 'Older versions',
  newest: (count) => `The newest ${count} versions.`,
  trainedFrom: 'Trained at, days learned from',
  judged: 'Skill is judged by an interval widened for the number of configurations tried; the intervals below are narrower.',
  card: 'Model card',
  standing: {
    title: 'How it came to stand here',
    nobody: 'by whom was not noted',
    none: 'No change was noted.',
    promote: 'To put this version in use:',
    rollback: 'To go back to the version in use before this one:',
  },
  lineage: {
    features: 'Features',
    codeVersion: 'Program version',
    artifact: 'Digest of the model file (SHA-256)',
    trainingTook: 'Training took',
    seconds: (count: string) => `${count} s`,
    excluded: 'Symbols left out',
    tuned: 'Where the settings come from',
    notTuned: 'The settings were not searched by a study.',
    trial: (number, count) => `trial ${number}, among ${count} with a result`,
    lists: 'Show symbols and features',
  },
  comparison: {
    title: 'Compared with another version',
    other: 'Compare with',
    failed: 'The comparison could not be loaded',
    alone: 'There is no other version of this horizon.',
    thisOne: 'This version',
    cautions: {
      horizons: 'The two look ahead over different horizons; their measures cannot be compared.',
      test_days: 'The records are of different days; a difference may come from the days and not from the model.',
      bars: 'The two learned from different bars.',
      same_artifact: 'The model files of the two are the same, byte for byte.',
    },
    alike: 'Both learned from the same bars and were tested on the same days.',
    measures: 'Measures out of sample',
    measure: 'Measure',
    intervals: 'Intervals',
    order: 'the other above, this version below',
    overlap: 'Intervals that overlap do not show that one is better than the other.',
    metrics: {
      rank_ic: 'Rank IC',
      hit_rate: 'Hit rate of direction',
      rmse: 'RMSE',
      brier: 'Brier score',
      coverage80: 'Held by the 80% band',
      net_return: 'Net return per period',
    },
    better: { more: 'more is better', less: 'less is better', promised: 'near the promise is better' },
    settings: 'What they were made from',
    field: 'Field',
    fields: {
      snapshot_hash: 'digest of the bars',
      code_version: 'program version',
      first_day: 'first day learned from',
      last_day: 'last day learned from',
      rows_count: 'rows learned from',
      'spec.seed': 'seed',
      'spec.horizon': 'horizon',
    },
    noFields: 'Settings, data and seed are the same.',
    absent: 'none',
    symbols: 'Symbols',
    features: 'Features',
    same: 'the same',
    onlyThis: 'in this version only',
    onlyOther: (version) => `in ${version} only`,
  },
};

/** The reasons that our commands give and that are the same each time. */
const REASONS: Text[] = [
  { en: 'trained on the bars as they are and put in force at once', tr: 'eldeki çubuklarla eğitildi ve hemen kullanıma alındı' },
  { en: 'it was there before changes were noted', tr: 'değişiklikler kaydedilmeye başlamadan önce de vardı' },
];

/** A reason that a command wrote in English, in the language of the reader; null where neither we nor `told` know it. */
export function reasonText(language: Language, reason: string, told: Text[]): string | null {
  return [...REASONS, ...told].find((text) => text.en === reason)?.[language] ?? null;
}

export type RegistryWords = typeof tr;

/** The words about versions, their standing and their differences, which the shell does not carry. */
export function registryWords(language: Language): RegistryWords {
  return language === 'tr' ? tr : en;
}
