import type { Language } from './dictionary';

/** What each kind of finding of the validator means, by its code. */
const FINDINGS: Record<string, { tr: string; en: string }> = {
  row_refused: { tr: 'Okunamayan satır', en: 'A row that could not be read' },
  non_positive_price: { tr: 'Sıfır ya da eksi fiyat', en: 'A price of zero or less' },
  low_above_high: { tr: 'En düşük, en yüksekten büyük', en: 'The low is above the high' },
  open_out_of_range: { tr: 'Açılış, günün aralığının dışında', en: 'The open lies outside low and high' },
  close_out_of_range: { tr: 'Kapanış, günün aralığının dışında', en: 'The close lies outside low and high' },
  negative_volume: { tr: 'Eksi hacim', en: 'A negative volume' },
  non_positive_adjusted_close: { tr: 'Düzeltilmiş kapanış sıfır ya da eksi', en: 'An adjusted close of zero or less' },
  adjusted_close_above_close: {
    tr: 'Düzeltilmiş kapanış, kapanıştan büyük ve bir nedeni yok',
    en: 'The adjusted close is above the close, and nothing explains it',
  },
  weekend_row: { tr: 'Hafta sonu tarihli satır', en: 'A row dated on a weekend' },
  holiday_row: { tr: 'Borsanın kapalı olduğu güne ait satır', en: 'A row on a day without a session' },
  cancelled_session_row: { tr: 'İptal edilen seansa ait satır', en: 'A row for the cancelled session' },
  duplicate_timestamp: { tr: 'Aynı satır yeniden', en: 'The same row again' },
  conflicting_timestamp: { tr: 'Aynı güne ait çelişen satırlar', en: 'Rows of one day that contradict each other' },
  repeated_bar: { tr: 'Önceki seansın kopyası', en: 'A copy of the session before' },
  move_beyond_limit: { tr: 'Günlük sınırı aşan, açıklanamayan hareket', en: 'An unexplained move beyond the daily limit' },
  missing_session: { tr: 'Satırı olmayan seans', en: 'A session without a row' },
  session_gap: { tr: 'Uzun boşluk: art arda eksik seanslar', en: 'A long gap: sessions missing in a row' },
  out_of_order: { tr: 'Sırası bozuk satırlar', en: 'Rows out of order' },
  zero_volume: { tr: 'Hacmi sıfır olan seans', en: 'A session without volume' },
  missing_volume: { tr: 'Hacim bilgisi yok', en: 'The volume is not given' },
  stale_close_run: { tr: 'Günlerce değişmeyen kapanış', en: 'A close that does not move for days' },
  volume_outlier: { tr: 'Olağandışı hacim', en: 'An unusual volume' },
  open_rounding: { tr: 'Açılışta yuvarlama farkı', en: 'The open is off by rounding' },
  close_rounding: { tr: 'Kapanışta yuvarlama farkı', en: 'The close is off by rounding' },
  flat_bar: { tr: 'Dört fiyatı da aynı olan çubuk', en: 'All four prices are equal' },
  move_explained_by_action: {
    tr: 'Sermaye olayının açıkladığı büyük hareket',
    en: 'A large move that a corporate action explains',
  },
  move_explained_by_adjustment: {
    tr: 'Düzeltilmiş kapanışın açıkladığı büyük hareket',
    en: 'A large move that the adjusted close explains',
  },
  newest_first: { tr: 'Dosya yeniden eskiye sıralı', en: 'The file is newest first' },
  outside_calendar: { tr: 'Takvimin kapsamadığı yıllar', en: 'Years outside the calendar' },
  off_tick: { tr: 'Fiyat adımına uymayan fiyat', en: 'A price off the tick' },
  limit_locked: { tr: 'Tavanda ya da tabanda kilitli gün', en: 'Locked at the daily limit' },
  halted_session: { tr: 'İşlem görmeyen seans', en: 'A session without trading' },
  dead_volume: { tr: 'Kaynak hacmi kaybetmiş', en: 'The source lost the volume' },
  scale_break: { tr: 'Ölçek kırılması', en: 'A break of scale' },
  empty_series: { tr: 'Hiç satırı olmayan seri', en: 'A series without rows' },
  fx_jump: { tr: 'Kurda olağandışı hareket', en: 'An unusual move of the exchange rate' },
  outside_session: { tr: 'Seans saatleri dışında çubuk', en: 'A bar outside the session' },
  missing_intraday_bars: { tr: 'Gün içinde eksik çubuklar', en: 'Bars missing within the day' },
  bar_count_unusual: { tr: 'Günlük çubuk sayısı alışılmadık', en: 'An unusual number of bars a day' },
  time_zone_shift: { tr: 'Saat dilimi kayması', en: 'Times shifted by a time zone' },
  misaligned_time: { tr: 'Çubuk saati aralığa oturmuyor', en: 'A bar off its time grid' },
  opening_bar_without_volume: { tr: 'İlk çubuğun hacmi yok', en: 'The first bar has no volume' },
  early_history: { tr: 'Öğrenilmeyen eski yıllar', en: 'Early years that are not learned from' },
  volume_absent: { tr: 'Kaynağın hiç hacmi yok', en: 'The source has no volumes at all' },
  early_close: { tr: 'Seans bitmeden alınmış kapanış', en: 'A close taken before the session ended' },
  return_disagreement: { tr: 'İki kaynağın getirisi farklı', en: 'Two sources disagree on the return' },
  volume_disagreement: { tr: 'İki kaynağın hacmi farklı', en: 'Two sources disagree on the volume' },
  adjustment_disagreement: {
    tr: 'Satıcının düzeltmesi bizimkiyle uyuşmuyor',
    en: 'The vendor’s adjustment differs from ours',
  },
  distribution_drift: { tr: 'Dağılım değişmiş', en: 'The distribution has drifted' },
  coarse_prices: { tr: 'Dört haneye sığmayacak kadar küçük fiyatlar', en: 'Prices too small for four decimals' },
};

export const FINDING_CODES: readonly string[] = Object.keys(FINDINGS);

/** A kind of finding in words; one that is not known here keeps its code. */
export function findingName(language: Language, code: string): string {
  return FINDINGS[code]?.[language] ?? code;
}
