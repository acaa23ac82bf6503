import type { Language } from './dictionary';
import { MISSING, number, percent, signedPercent } from './format';

/**
 * How a feature's value is best read. A `return` and a `share` are parts of one, a `return` with its
 * sign; `percent_return` comes in percent; an `index` is an indicator that runs to a hundred or its
 * like; a `ratio` says how many times; a `number` is any other.
 */
type Reading = 'return' | 'percent_return' | 'share' | 'index' | 'ratio' | 'number';

interface FeatureWords {
  tr: string;
  en: string;
  reading: Reading;
}

/**
 * The features of the models crate, by name, and the components of Prophet beside them. Returns are logarithmic, as the model sees them.
 */
const FEATURES: Record<string, FeatureWords> = {
  return_1: { tr: 'Getiri, 1 seans', en: 'Return, 1 session', reading: 'return' },
  return_2: { tr: 'Getiri, 2 seans', en: 'Return, 2 sessions', reading: 'return' },
  return_3: { tr: 'Getiri, 3 seans', en: 'Return, 3 sessions', reading: 'return' },
  return_5: { tr: 'Getiri, 5 seans', en: 'Return, 5 sessions', reading: 'return' },
  return_10: { tr: 'Getiri, 10 seans', en: 'Return, 10 sessions', reading: 'return' },
  return_20: { tr: 'Getiri, 20 seans', en: 'Return, 20 sessions', reading: 'return' },
  return_60: { tr: 'Getiri, 60 seans', en: 'Return, 60 sessions', reading: 'return' },
  overnight_gap: { tr: 'Açılış boşluğu', en: 'Overnight gap', reading: 'return' },
  intraday_return: { tr: 'Gün içi getiri', en: 'Intraday return', reading: 'return' },
  close_location: { tr: 'Kapanışın gün aralığındaki yeri', en: 'Close within the day’s range', reading: 'number' },
  limit_hit: { tr: 'Günlük sınıra dayanma', en: 'Daily limit hit', reading: 'number' },
  limit_hits_5: { tr: 'Sınıra dayanma, 5 seans', en: 'Limit hits, 5 sessions', reading: 'number' },
  reversal_slope_250: { tr: 'Haftalık getiriye tepki, 250 seans', en: 'Response to the week’s return, 250 sessions', reading: 'number' },
  reversal_forecast: { tr: 'Haftalık getiriden beklenen', en: 'Expected from the week’s return', reading: 'return' },
  return_autocorrelation_60: { tr: 'Getiri özilintisi, 60 seans', en: 'Return autocorrelation, 60 sessions', reading: 'number' },
  rsi_14: { tr: 'RSI (14)', en: 'RSI (14)', reading: 'index' },
  macd_histogram_atr: { tr: 'MACD histogramı / ATR', en: 'MACD histogram / ATR', reading: 'number' },
  bollinger_percent_b_20: { tr: 'Bollinger %B (20)', en: 'Bollinger %B (20)', reading: 'number' },
  bollinger_bandwidth_20: { tr: 'Bollinger bant genişliği (20)', en: 'Bollinger bandwidth (20)', reading: 'share' },
  adx_14: { tr: 'ADX (14)', en: 'ADX (14)', reading: 'index' },
  stochastic_k_14: { tr: 'Stokastik %K (14)', en: 'Stochastic %K (14)', reading: 'index' },
  cci_20: { tr: 'CCI (20)', en: 'CCI (20)', reading: 'index' },
  sma_distance_20: { tr: '20 seans ortalamasına uzaklık / ATR', en: 'Distance to 20-session mean / ATR', reading: 'number' },
  sma_distance_50: { tr: '50 seans ortalamasına uzaklık / ATR', en: 'Distance to 50-session mean / ATR', reading: 'number' },
  sma_distance_200: { tr: '200 seans ortalamasına uzaklık / ATR', en: 'Distance to 200-session mean / ATR', reading: 'number' },
  high_distance_250: { tr: 'Yıllık en yükseğe uzaklık', en: 'Distance to 250-session high', reading: 'return' },
  low_distance_250: { tr: 'Yıllık en düşüğe uzaklık', en: 'Distance to 250-session low', reading: 'return' },
  directional_balance_14: { tr: 'Yön dengesi, +DI ve -DI (14)', en: 'Balance of +DI and -DI (14)', reading: 'number' },
  stochastic_d_14: { tr: 'Stokastik %D (14)', en: 'Stochastic %D (14)', reading: 'index' },
  williams_r_60: { tr: 'Williams %R (60)', en: 'Williams %R (60)', reading: 'index' },
  roc_120: { tr: 'Değişim oranı, ROC (120)', en: 'Rate of change, ROC (120)', reading: 'percent_return' },
  aroon_oscillator_25: { tr: 'Aroon osilatörü (25)', en: 'Aroon oscillator (25)', reading: 'index' },
  donchian_position_55: { tr: 'Donchian kanalındaki yer (55)', en: 'Position in the Donchian channel (55)', reading: 'index' },
  keltner_position_20: { tr: 'Keltner kanalındaki yer (20)', en: 'Position in the Keltner channel (20)', reading: 'number' },
  supertrend_distance: { tr: 'SuperTrend çizgisine uzaklık (10, 3)', en: 'Distance to SuperTrend (10, 3)', reading: 'return' },
  ichimoku_lines: { tr: 'Ichimoku, tenkan ve kijun farkı', en: 'Ichimoku, tenkan over kijun', reading: 'return' },
  ichimoku_cloud_distance: { tr: 'Ichimoku bulutuna uzaklık', en: 'Distance to the Ichimoku cloud', reading: 'return' },
  candle_balance: { tr: 'Mum formasyonları, yükseliş eksi düşüş', en: 'Candle patterns, bullish less bearish', reading: 'number' },
  candle_doji: { tr: 'Doji mumu', en: 'Doji candle', reading: 'number' },
  volatility_5: { tr: 'Oynaklık, 5 seans', en: 'Volatility, 5 sessions', reading: 'share' },
  volatility_20: { tr: 'Oynaklık, 20 seans', en: 'Volatility, 20 sessions', reading: 'share' },
  volatility_60: { tr: 'Oynaklık, 60 seans', en: 'Volatility, 60 sessions', reading: 'share' },
  parkinson_20: { tr: 'Parkinson oynaklığı (20)', en: 'Parkinson volatility (20)', reading: 'share' },
  garman_klass_20: { tr: 'Garman-Klass oynaklığı (20)', en: 'Garman-Klass volatility (20)', reading: 'share' },
  atr_14_share: { tr: 'ATR (14) / fiyat', en: 'ATR (14) / price', reading: 'share' },
  volatility_ratio_5_60: { tr: 'Oynaklık oranı, 5 / 60', en: 'Volatility ratio, 5 / 60', reading: 'ratio' },
  yang_zhang_20: { tr: 'Yang-Zhang oynaklığı (20)', en: 'Yang-Zhang volatility (20)', reading: 'share' },
  volume_zscore_20: { tr: 'Hacim z-skoru (20)', en: 'Volume z-score (20)', reading: 'number' },
  volume_ratio_5_20: { tr: 'Hacim oranı, 5 / 20', en: 'Volume ratio, 5 / 20', reading: 'ratio' },
  obv_slope_20: { tr: 'OBV eğimi (20)', en: 'OBV slope (20)', reading: 'number' },
  mfi_14: { tr: 'MFI (14)', en: 'MFI (14)', reading: 'index' },
  zero_volume_share_20: { tr: 'İşlemsiz seans payı (20)', en: 'Share of sessions without trades (20)', reading: 'share' },
  turnover_ratio_5_60: { tr: 'İşlem hacmi (₺) oranı, 5 / 60', en: 'Turnover ratio in lira, 5 / 60', reading: 'ratio' },
  vwap_distance_20: { tr: 'VWAP’a uzaklık (20)', en: 'Distance to VWAP (20)', reading: 'return' },
  day_of_week: { tr: 'Haftanın günü', en: 'Day of the week', reading: 'number' },
  month_end_distance: { tr: 'Ay sonuna kalan hafta içi gün', en: 'Weekdays to month end', reading: 'number' },
  half_day_next: { tr: 'Sıradaki seans yarım gün', en: 'Next session is a half day', reading: 'number' },
  sessions_since_closure: { tr: 'Son kapanıştan beri seans', en: 'Sessions since a closure', reading: 'number' },
  session_of_week: { tr: 'Haftanın kaçıncı seansı', en: 'Session of the week', reading: 'number' },
  closure_next: { tr: 'Sonraki seanstan önce uzun kapanış', en: 'Long closure before the next session', reading: 'number' },
  index_return_1: { tr: 'BIST 100 getirisi, 1 seans', en: 'BIST 100 return, 1 session', reading: 'return' },
  index_return_5: { tr: 'BIST 100 getirisi, 5 seans', en: 'BIST 100 return, 5 sessions', reading: 'return' },
  index_return_20: { tr: 'BIST 100 getirisi, 20 seans', en: 'BIST 100 return, 20 sessions', reading: 'return' },
  index_volatility_20: { tr: 'BIST 100 oynaklığı (20)', en: 'BIST 100 volatility (20)', reading: 'share' },
  usdtry_return_1: { tr: 'Dolar/TL değişimi, 1 gün', en: 'USD/TRY change, 1 day', reading: 'return' },
  usdtry_return_5: { tr: 'Dolar/TL değişimi, 5 gün', en: 'USD/TRY change, 5 days', reading: 'return' },
  usdtry_return_20: { tr: 'Dolar/TL değişimi, 20 gün', en: 'USD/TRY change, 20 days', reading: 'return' },
  usdtry_volatility_20: { tr: 'Dolar/TL oynaklığı (20)', en: 'USD/TRY volatility (20)', reading: 'share' },
  bar_of_session: { tr: 'Seansın kaçıncı saati', en: 'Hour of the session', reading: 'number' },
  bars_to_close: { tr: 'Kapanışa kalan saat', en: 'Hours to the close', reading: 'number' },
  session_return: { tr: 'Seans açılışından beri getiri', en: 'Return since the session’s open', reading: 'return' },
  session_gap: { tr: 'Seansın açılış boşluğu', en: 'Gap at the session’s open', reading: 'return' },
  same_hour_volume_ratio_20: { tr: 'Aynı saatin hacmine oran, 20 seans', en: 'Volume to that of the same hour, 20 sessions', reading: 'ratio' },
  next_hour_return_20: { tr: 'Sonraki saatin ortalama getirisi, 20 seans', en: 'Mean return of the next hour, 20 sessions', reading: 'return' },
  regime_turbulent: { tr: 'Çalkantılı piyasa olasılığı', en: 'Probability of a turbulent market', reading: 'share' },
  rank_return_5: { tr: 'Getiri sırası, 5 seans', en: 'Rank of return, 5 sessions', reading: 'share' },
  rank_return_20: { tr: 'Getiri sırası, 20 seans', en: 'Rank of return, 20 sessions', reading: 'share' },
  rank_volatility_20: { tr: 'Oynaklık sırası (20)', en: 'Rank of volatility (20)', reading: 'share' },
  rank_volume_ratio: { tr: 'Hacim oranı sırası', en: 'Rank of volume ratio', reading: 'share' },
  rank_turnover_20: { tr: 'İşlem hacmi (₺) sırası (20)', en: 'Rank of turnover in lira (20)', reading: 'share' },
  amihud_20: { tr: 'Amihud likidite azlığı (20)', en: 'Amihud illiquidity (20)', reading: 'number' },
  market_return_1: { tr: 'Piyasa getirisi, 1 seans', en: 'Market return, 1 session', reading: 'return' },
  market_return_5: { tr: 'Piyasa getirisi, 5 seans', en: 'Market return, 5 sessions', reading: 'return' },
  market_return_20: { tr: 'Piyasa getirisi, 20 seans', en: 'Market return, 20 sessions', reading: 'return' },
  beta_60: { tr: 'Beta (60)', en: 'Beta (60)', reading: 'number' },
  residual_return_60: { tr: 'Piyasadan arındırılmış getiri (60)', en: 'Residual return (60)', reading: 'return' },
  sector_return_5: { tr: 'Sektör getirisi, 5 seans', en: 'Sector return, 5 sessions', reading: 'return' },
  sector_return_20: { tr: 'Sektör getirisi, 20 seans', en: 'Sector return, 20 sessions', reading: 'return' },
  return_5_less_sector: { tr: 'Sektöre göre fazla getiri, 5 seans', en: 'Return above the sector, 5 sessions', reading: 'return' },
  sector_reversal_slope_250: { tr: 'Sektörün haftalık getiriye tepkisi', en: 'Sector’s response to the week’s return', reading: 'number' },
  sector_reversal_forecast: { tr: 'Sektörün tepkisine göre beklenen', en: 'Expected from the sector’s response', reading: 'return' },
  return_20_less_sector: { tr: 'Sektöre göre fazla getiri, 20 seans', en: 'Return above the sector, 20 sessions', reading: 'return' },
  prophet_trend: { tr: 'Prophet: trend', en: 'Prophet: trend', reading: 'return' },
  prophet_yearly: { tr: 'Prophet: yılın zamanı', en: 'Prophet: time of the year', reading: 'return' },
  prophet_weekly: { tr: 'Prophet: haftanın günü', en: 'Prophet: day of the week', reading: 'return' },
  prophet_holidays: { tr: 'Prophet: tatil çevresi', en: 'Prophet: around closures', reading: 'return' },
};

export const FEATURE_NAMES: readonly string[] = Object.keys(FEATURES);

/** The name of a feature with its windows left open: `rsi_#`. */
const familyOf = (feature: string): string => feature.replace(/\d+/g, '#');

const BY_FAMILY = new Map([...FEATURE_NAMES].reverse().map((name) => [familyOf(name), name]));

/** The known feature that this one is, if over other windows. */
const knownAs = (feature: string): string | undefined =>
  feature in FEATURES ? feature : BY_FAMILY.get(familyOf(feature));

/** The feature in words; one that is not known here keeps the name that the model gives it. */
export function featureName(language: Language, feature: string): string {
  const known = knownAs(feature);
  const words = known === undefined ? undefined : FEATURES[known]?.[language];
  if (known === undefined || words === undefined) return feature;
  const writtenFor: readonly string[] = known.match(/\d+/g) ?? [];
  const actual: readonly string[] = feature.match(/\d+/g) ?? [];
  return words.replace(/\d+/g, (window) => actual[writtenFor.indexOf(window)] ?? window);
}

export function featureValue(language: Language, feature: string, value: number | null): string {
  if (value === null) return MISSING;
  switch (FEATURES[knownAs(feature) ?? '']?.reading) {
    case 'return':
      return signedPercent(language, value);
    case 'percent_return':
      return signedPercent(language, value / 100);
    case 'share':
      return percent(language, value);
    case 'index':
      return number(language, value, 1);
    case 'ratio':
      return `${number(language, value, 2)}×`;
    default:
      return number(language, value, Number.isInteger(value) ? 0 : 3);
  }
}
