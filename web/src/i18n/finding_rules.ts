import type { Language } from './dictionary';

const OPEN_RULE = 'Açılış, bir birim ve on binde bir pay dışında, en düşük ile en yüksek arasındadır.';
const CLOSE_RULE = 'Kapanış, bir birim ve on binde bir pay dışında, en düşük ile en yüksek arasındadır.';
const MOVE_RULE = 'Fiyat, seanslarının günlük sınırları içinde hareket eder ya da bir olay hareketi açıklar.';
const ORDER_RULE = 'Satırlar eskiden yeniye gelir.';
const VOLUME_RULE = 'Hacim verilir.';

/** The rules that the server tells in English, in Turkish, by the code of the finding. */
const TURKISH: Record<string, string> = {
  row_refused: 'Her satırın okunabilir bir tarihi ve sayıları vardır.',
  non_positive_price: 'Fiyat sıfırdan büyüktür.',
  low_above_high: 'En düşük, en yüksekten büyük değildir.',
  open_out_of_range: OPEN_RULE,
  open_rounding: OPEN_RULE,
  close_out_of_range: CLOSE_RULE,
  close_rounding: CLOSE_RULE,
  negative_volume: 'Hacim eksi olmaz.',
  non_positive_adjusted_close: 'Düzeltilmiş kapanış sıfırdan büyüktür.',
  adjusted_close_above_close: 'Düzeltilmiş kapanış, sonradan pay azaltılmadıkça kapanıştan büyük olmaz.',
  weekend_row: 'Cumartesi ve pazar işlem yapılmaz.',
  holiday_row: 'Paylar yalnız takvimdeki seanslarda işlem görür.',
  cancelled_session_row: 'İptal edilen seansın işlemleri olmamış sayılır.',
  duplicate_timestamp: 'Bir zaman damgasının bir satırı vardır.',
  conflicting_timestamp: 'Aynı zaman damgalı satırlar çelişmez.',
  repeated_bar: 'İşlem görülen bir seans, öncekinden en az bir sayıda ayrılır.',
  move_beyond_limit: MOVE_RULE,
  move_explained_by_action: MOVE_RULE,
  move_explained_by_adjustment: MOVE_RULE,
  missing_session: 'İlk ve son satır arasındaki her seansın bir satırı vardır.',
  session_gap: 'Seride uzun boşluk olmaz.',
  out_of_order: ORDER_RULE,
  newest_first: ORDER_RULE,
  zero_volume: 'Seansta pay el değiştirir.',
  missing_volume: VOLUME_RULE,
  volume_absent: VOLUME_RULE,
  stale_close_run: 'Kapanış birkaç seans içinde değişir.',
  volume_outlier: 'Hacim, yakın geçmişin ortancasının belli bir katını aşmaz.',
  flat_bar: 'İşlem görülen seansın fiyatları, sınırda değilse, birbirinden ayrılır.',
  outside_calendar: 'Yalnız takvimin kapsadığı günler denetlenebilir.',
  coarse_prices: 'Fiyatlar dört hanede kesin olacak kadar büyüktür.',
  early_close: 'Kapanış, seans sonunun kapanışıdır.',
  return_disagreement: 'İki kaynak aynı getiriyi verir.',
  volume_disagreement: 'İki kaynak aynı hacmi verir.',
  adjustment_disagreement: 'Satıcının düzeltmesi, sermaye olaylarının kuramsal fiyatıyla aynıdır.',
  distribution_drift: 'En yeni değerler, öncekiler gibi dağılır.',
  scale_break: 'Fiyatlar para birimini değiştirmez.',
  off_tick: 'İşlem fiyatı, gününün fiyat adımının katıdır.',
  limit_locked: 'Günlük sınırda biten seans ayrıca söylenir.',
  halted_session: 'Durdurulmuş seans, kayıp hacimden ayrılır.',
  dead_volume: 'Oynayan fiyatın hacmi vardır.',
  empty_series: 'Sembolü tanıyan kaynağın satırları vardır.',
  fx_jump: 'Kurdaki büyük bir gün bakmaya değer.',
  early_history: 'Modeller, takvimi ve sınırları iki kaynaktan bilinen yıllardan öğrenir.',
  outside_session: 'Çubuk, gününün seansındaki bir evrede yer alır.',
  time_zone_shift: 'Zaman damgaları İstanbul saatidir.',
  missing_intraday_bars: 'Günün, öteki günlerdeki kadar çubuğu vardır.',
  misaligned_time: 'Çubuklar tam aralıklarda ya da bir evreyle başlar.',
  bar_count_unusual: 'Tam günlerin çubuk sayısı aynıdır.',
  opening_bar_without_volume: 'Günün ilk çubuğunun hacmi vardır.',
};
export const RULE_CODES: readonly string[] = Object.keys(TURKISH);

/** The rule behind a finding, and the language that it is in. */
export function findingRule(language: Language, code: string, english: string): { text: string; lang: Language } {
  const turkish = TURKISH[code];
  return language === 'tr' && turkish !== undefined ? { text: turkish, lang: 'tr' } : { text: english, lang: 'en' };
}

/** What an administrator does about errors, and about which kinds. */
const ADVICE: { codes: string[]; tr: string; en: string }[] = [
  {
    codes: ['weekend_row', 'holiday_row', 'cancelled_session_row'],
    tr: 'Yapılacak bir şey yok: o günün geçerli işlemi yok, satır dışarıda kalır.',
    en: 'Nothing to do: that day has no valid trades, and the row stays out.',
  },
  {
    codes: ['duplicate_timestamp'],
    tr: 'Yapılacak bir şey yok: satırın ilk gelişi kullanılır.',
    en: 'Nothing to do: the first of the equal rows is used.',
  },
  {
    codes: [
      'non_positive_price', 'low_above_high', 'open_out_of_range', 'close_out_of_range', 'negative_volume',
      'non_positive_adjusted_close', 'adjusted_close_above_close', 'conflicting_timestamp', 'repeated_bar', 'early_close',
    ],
    tr: 'Günü kaynaktan yeniden alın ya da ikinci bir kaynakla karşılaştırın.',
    en: 'Fetch the day from the source again, or compare it with a second source.',
  },
  {
    codes: ['move_beyond_limit', 'scale_break'],
    tr: 'Eksik bir sermaye olayı olabilir: `bist ingest actions` ile ekleyip `bist validate --all` çalıştırın.',
    en: 'A corporate action may be missing: add it with `bist ingest actions`, then run `bist validate --all`.',
  },
  {
    codes: ['row_refused'],
    tr: 'Dosyanın o satırını düzeltip dosyayı yeniden alın.',
    en: 'Mend that line of the file and ingest the file again.',
  },
  {
    codes: ['missing_session', 'session_gap', 'empty_series', 'missing_intraday_bars'],
    tr: 'Bu günleri kaynaktan yeniden isteyin.',
    en: 'Ask the source for these days again.',
  },
  {
    codes: ['outside_session', 'time_zone_shift', 'misaligned_time'],
    tr: 'Kaynağın saat dilimini denetleyip çubukları yeniden alın.',
    en: 'Check the time zone of the source and ingest the bars again.',
  },
];

/** What to do about a finding of this kind; null when it needs nobody. */
export function findingAdvice(language: Language, code: string): string | null {
  return ADVICE.find((entry) => entry.codes.includes(code))?.[language] ?? null;
}
