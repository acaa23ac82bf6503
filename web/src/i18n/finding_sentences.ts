import type { Finding } from '../api/schema/quality';
import { closureName } from './closures';
import type { Language } from './dictionary';
import { list, MISSING } from './format';
import { NamedNumbers } from './named_numbers';

type Sentence = (numbers: NamedNumbers) => string;
interface Sentences {
  tr: Sentence;
  en: Sentence;
}
type Words = Record<string, { tr: string; en: string }>;

/** The prices of a bar, as the subject of a sentence. */
const FIELDS: Words = {
  open: { tr: 'Açılış', en: 'The open' },
  high: { tr: 'En yüksek', en: 'The high' },
  low: { tr: 'En düşük', en: 'The low' },
  close: { tr: 'Kapanış', en: 'The close' },
};
const ACTIONS: Words = {
  cash_dividend: { tr: 'nakit temettü', en: 'a cash dividend' },
  bonus_issue: { tr: 'bedelsiz sermaye artırımı', en: 'a bonus issue' },
  rights_issue: { tr: 'bedelli sermaye artırımı', en: 'a rights issue' },
  split: { tr: 'bölünme', en: 'a split' },
  capital_decrease: { tr: 'sermaye azaltımı', en: 'a capital decrease' },
};
/** What comes after an impossible move. */
const OUTCOMES: Words = {
  came_back: { tr: 'Sonraki satır eski düzeye döndü: tek bir hatalı satır.', en: 'The next row is back where it was: one bad row.' },
  stayed_there: {
    tr: 'Sonraki satır yeni düzeyde kaldı; getiri bu kırılmanın üzerinden hesaplanmaz.',
    en: 'The next row stays there, so no return is computed across it.',
  },
  last_row: { tr: 'Ardından satır gelmedi.', en: 'No row follows.' },
};
const MEASURES: Words = {
  log_return: { tr: 'günlük getiri', en: 'daily returns' },
  log_volume_change: { tr: 'hacim değişimi', en: 'changes of volume' },
  range: { tr: 'gün içi aralık', en: 'ranges within the day' },
};
const PHASES: Words = {
  before_session: { tr: 'seanstan önce', en: 'before the session' },
  break: { tr: 'seans arasında', en: 'in the break between the sessions' },
  after_session: { tr: 'seanstan sonra', en: 'after the session' },
};

/** Of which words a value of this name is one. */
const WORDS: Record<string, Words> = { field: FIELDS, actions: ACTIONS, outcome: OUTCOMES, what: MEASURES, phase: PHASES };

function word(of: Words, n: NamedNumbers, name: string): string {
  const code = n.text(name);
  return of[code]?.[n.language] ?? code;
}
function actions(n: NamedNumbers): string {
  return list(n.language, n.texts('actions').map((code) => ACTIONS[code]?.[n.language] ?? code));
}

/** Why a row could not be read. */
const REFUSALS: Record<string, Sentences> = {
  missing_field: { tr: (n) => `${n.text('field')} alanı boş`, en: (n) => `${n.text('field')} is missing` },
  not_a_number: {
    tr: (n) => `${n.text('field')} alanındaki “${n.text('text')}” sayı değil`,
    en: (n) => `${n.text('field')} is “${n.text('text')}”, which is not a number`,
  },
  number_too_large: {
    tr: (n) => `${n.text('field')} alanındaki “${n.text('text')}” çok büyük`,
    en: (n) => `${n.text('field')} is “${n.text('text')}”, which is too large`,
  },
  implausible: {
    tr: (n) => `${n.text('field')} alanındaki “${n.text('text')}” böyle bir olayda olamaz`,
    en: (n) => `${n.text('field')} is “${n.text('text')}”, which no such event has`,
  },
  not_a_date: { tr: (n) => `“${n.text('text')}” tarih değil`, en: (n) => `“${n.text('text')}” is not a date` },
  not_a_symbol: { tr: (n) => `“${n.text('text')}” sembol değil`, en: (n) => `“${n.text('text')}” is not a symbol` },
  field_count: {
    tr: (n) => `satırda ${n.count('found')}, başlıkta ${n.count('expected')} alan var; dosya yarım kalmış olabilir`,
    en: (n) => `the row has ${n.count('found')} fields and the header ${n.count('expected')}; the file may be cut off`,
  },
  not_text: { tr: () => 'satır okunabilir metin (UTF-8) değil', en: () => 'the row is not readable text (UTF-8)' },
  duplicate_row: { tr: (n) => `satır, ${n.count('first_line')}. satırın aynısı`, en: (n) => `the row repeats line ${n.count('first_line')}` },
  conflicting_duplicate: {
    tr: (n) => `satır, aynı zaman damgalı ${n.count('first_line')}. satırla çelişiyor`,
    en: (n) => `the row contradicts line ${n.count('first_line')}, which has the same time stamp`,
  },
};
export const REFUSAL_CODES: readonly string[] = Object.keys(REFUSALS);

function refusal(n: NamedNumbers): string {
  const reason = n.below('reason');
  return REFUSALS[reason.text('code')]?.[n.language](reason) ?? reason.text('code');
}

/** What the validator found, one sentence a code of the market crate, with its numbers. */
const SENTENCES: Record<string, Sentences> = {
  row_refused: {
    tr: (n) => `${n.text('file')}, ${n.count('line')}. satır: ${refusal(n)}.`,
    en: (n) => `${n.text('file')}, line ${n.count('line')}: ${refusal(n)}.`,
  },
  non_positive_price: {
    tr: (n) => `${word(FIELDS, n, 'field')} ${n.units('price_units')}; bu bir fiyat olamaz.`,
    en: (n) => `${word(FIELDS, n, 'field')} is ${n.units('price_units')}, which is not a price.`,
  },
  low_above_high: {
    tr: (n) => `En düşük ${n.units('low_units')}, en yüksek ${n.units('high_units')}: sıraları ters.`,
    en: (n) => `The low of ${n.units('low_units')} is above the high of ${n.units('high_units')}.`,
  },
  open_out_of_range: {
    tr: (n) => `Açılış ${n.units('open_units')}; günün aralığı ${n.units('low_units')} – ${n.units('high_units')}.`,
    en: (n) => `The open of ${n.units('open_units')} is outside the day’s range, ${n.units('low_units')} to ${n.units('high_units')}.`,
  },
  close_out_of_range: {
    tr: (n) => `Kapanış ${n.units('close_units')}; günün aralığı ${n.units('low_units')} – ${n.units('high_units')}.`,
    en: (n) => `The close of ${n.units('close_units')} is outside the day’s range, ${n.units('low_units')} to ${n.units('high_units')}.`,
  },
  negative_volume: {
    tr: (n) => `Hacim ${n.count('volume_shares')} pay.`,
    en: (n) => `The volume is ${n.count('volume_shares')} shares.`,
  },
  non_positive_adjusted_close: {
    tr: (n) =>
      n.value('adjusted_close') === null
        ? 'Düzeltilmiş kapanış bir sayı değil.'
        : `Düzeltilmiş kapanış ${n.lira('adjusted_close')}; bu bir fiyat olamaz.`,
    en: (n) =>
      n.value('adjusted_close') === null
        ? 'The adjusted close is not a number.'
        : `The adjusted close is ${n.lira('adjusted_close')}, which is not a price.`,
  },
  adjusted_close_above_close: {
    tr: (n) => `Düzeltilmiş kapanış ${n.lira('adjusted_close')}, kapanış ${n.units('close_units')}; pay sayısını azaltan bir olay bilinmiyor.`,
    en: (n) =>
      `The adjusted close of ${n.lira('adjusted_close')} is above the close of ${n.units('close_units')}, and no reduction of shares is known.`,
  },
  weekend_row: { tr: () => 'Satır bir cumartesi ya da pazar gününe ait.', en: () => 'The row is dated on a Saturday or Sunday.' },
  holiday_row: {
    tr: (n) => `O gün seans yoktu: ${closureName(n.language, n.text('name'))}.`,
    en: (n) => `There was no session on that day: ${closureName(n.language, n.text('name'))}.`,
  },
  cancelled_session_row: {
    tr: () => 'O seansın bütün işlemleri sonradan iptal edildi.',
    en: () => 'All trades of that session were cancelled afterwards.',
  },
  duplicate_timestamp: { tr: () => 'Aynı satır daha önce de geldi.', en: () => 'The same row came before.' },
  conflicting_timestamp: {
    tr: (n) => `Aynı zaman damgalı ${n.count('rows_count')} satır farklı sayılar söylüyor; bu onlardan biri.`,
    en: (n) => `One of ${n.count('rows_count')} rows with this time stamp and different numbers.`,
  },
  repeated_bar: {
    tr: () => 'Bütün sayılar bir önceki seansınkiyle aynı.',
    en: () => 'Every number is that of the session before.',
  },
  move_beyond_limit: {
    tr: (n) =>
      `${word(FIELDS, n, 'field')} ${n.units('price_units')}: ${n.day('base_day')} kapanışına (${n.units('base_units')}) göre ${n.signed('move_share')}; en çok ${n.share('allowed_share')} olabilirdi ve bir açıklaması yok. ${word(OUTCOMES, n, 'outcome')}`,
    en: (n) =>
      `${word(FIELDS, n, 'field')} of ${n.units('price_units')} is ${n.signed('move_share')} from the close of ${n.day('base_day')} (${n.units('base_units')}); at most ${n.share('allowed_share')} passes, and nothing explains it. ${word(OUTCOMES, n, 'outcome')}`,
  },
  missing_session: { tr: () => 'Borsa açıktı, kaynakta satır yok.', en: () => 'The exchange was open and the source has no row.' },
  session_gap: {
    tr: (n) => `${n.day('from')} – ${n.day('to')} arasında ${n.count('sessions_count')} seansın satırı yok: işlem durdurulmuş ya da veri kaybolmuş.`,
    en: (n) => `${n.count('sessions_count')} sessions from ${n.day('from')} to ${n.day('to')} have no row: a suspension, or lost data.`,
  },
  out_of_order: {
    tr: (n) => `${n.count('rows_count')} satır, daha eski bir satırdan önce geliyordu; sıralandı.`,
    en: (n) => `${n.count('rows_count')} rows came before an older one; they were sorted.`,
  },
  zero_volume: { tr: () => 'Hiç pay el değiştirmemiş ya da hacim kaybolmuş.', en: () => 'No share was traded, or the volume was lost.' },
  missing_volume: { tr: () => 'Kaynak bu günün hacmini vermiyor.', en: () => 'The source gives no volume for this day.' },
  stale_close_run: {
    tr: (n) => `Kapanış ${n.day('to')} gününe dek ${n.count('rows_count')} satırda hep ${n.units('close_units')}.`,
    en: (n) => `${n.count('rows_count')} closes in a row, up to ${n.day('to')}, are all ${n.units('close_units')}.`,
  },
  volume_outlier: {
    tr: (n) => `Hacim ${n.count('volume_shares')} pay: önceki satırların ortancasının (${n.count('median_shares')}) ${n.decimal('multiple', 1)} katı.`,
    en: (n) => `The volume of ${n.count('volume_shares')} shares is ${n.decimal('multiple', 1)} times the median of the rows before (${n.count('median_shares')}).`,
  },
  open_rounding: {
    tr: (n) => `Açılış günün aralığını ${n.units('by_units')} aşıyor; yuvarlama sayıldı.`,
    en: (n) => `The open is outside the day’s range by ${n.units('by_units')}, taken as rounding.`,
  },
  close_rounding: {
    tr: (n) => `Kapanış günün aralığını ${n.units('by_units')} aşıyor; yuvarlama sayıldı.`,
    en: (n) => `The close is outside the day’s range by ${n.units('by_units')}, taken as rounding.`,
  },
  flat_bar: { tr: () => 'Pay el değiştirdiği hâlde dört fiyat da aynı.', en: () => 'All four prices are equal although shares were traded.' },
  move_explained_by_action: {
    tr: (n) => `Hareketi (${n.signed('move_share')}) ${actions(n)} açıklıyor; kuramsal fiyat ${n.lira('theoretical_base')}.`,
    en: (n) => `A move of ${n.signed('move_share')} that ${actions(n)} explains (theoretical price ${n.lira('theoretical_base')}).`,
  },
  move_explained_by_adjustment: {
    tr: (n) => `Hareketi (${n.signed('move_share')}) satıcının düzeltilmiş kapanışı açıklıyor; onunkisi ${n.signed('adjusted_move_share')}.`,
    en: (n) => `A move of ${n.signed('move_share')} that the vendor’s adjusted close explains (its own move is ${n.signed('adjusted_move_share')}).`,
  },
  newest_first: { tr: () => 'Satırlar yeniden eskiye geliyordu; sıralandı.', en: () => 'The rows came newest first; they were sorted.' },
  outside_calendar: {
    tr: (n) => `${n.day('from')} – ${n.day('to')} arasındaki ${n.count('rows_count')} satır takvimin kapsadığı yılların dışında; denetlenemez.`,
    en: (n) => `${n.count('rows_count')} rows from ${n.day('from')} to ${n.day('to')} lie outside the years of the calendar and cannot be verified.`,
  },
  coarse_prices: {
    tr: (n) =>
      `${n.day('from')} – ${n.day('to')} arasındaki ${n.count('rows_count')} satır denetlenemez: ${n.units('below_units')} altındaki fiyatlar dört hanede fazla kaba.`,
    en: (n) =>
      `${n.count('rows_count')} rows from ${n.day('from')} to ${n.day('to')} cannot be verified: prices below ${n.units('below_units')} are too coarse at four decimals.`,
  },
  early_close: {
    tr: (n) =>
      `Kapanış ${n.units('close_units')} seans bitmeden alınmış: getiri ${n.signed('return_share')}, ${n.text('other_source')} kaynağının kapanışına göre ${n.signed('other_close_return_share')}.`,
    en: (n) =>
      `The close of ${n.units('close_units')} was taken before the session ended: the return is ${n.signed('return_share')}, and ${n.signed('other_close_return_share')} to the close of ${n.text('other_source')}.`,
  },
  return_disagreement: {
    tr: (n) => `Getiri burada ${n.signed('return_share')}, ${n.text('other_source')} kaynağında ${n.signed('other_return_share')}.`,
    en: (n) => `The return is ${n.signed('return_share')} here, and ${n.signed('other_return_share')} by ${n.text('other_source')}.`,
  },
  volume_disagreement: {
    tr: (n) => `Hacim burada ${n.count('volume_shares')} pay, ${n.text('other_source')} kaynağında ${n.count('other_volume_shares')}.`,
    en: (n) => `The volume is ${n.count('volume_shares')} shares here, and ${n.count('other_volume_shares')} by ${n.text('other_source')}.`,
  },
  adjustment_disagreement: {
    tr: (n) =>
      `Satıcı eski fiyatları ${n.decimal('vendor_factor', 6)} ile çarpıyor; ${n.texts('actions').length === 0 ? 'bilinen bir sermaye olayı yok' : `${actions(n)} için ${n.decimal('own_factor', 6)} gerekir`}.`,
    en: (n) =>
      `The vendor multiplies earlier prices by ${n.decimal('vendor_factor', 6)}; ${n.texts('actions').length === 0 ? 'no corporate action is known' : `${actions(n)} demands ${n.decimal('own_factor', 6)}`}.`,
  },
  distribution_drift: {
    tr: (n) => `Son günlerde ${word(MEASURES, n, 'what')} öncekinden farklı dağılıyor (PSI ${n.decimal('psi', 2)}, Kolmogorov-Smirnov ${n.decimal('ks', 2)}).`,
    en: (n) =>
      `The newest ${word(MEASURES, n, 'what')} are distributed otherwise than those before (PSI ${n.decimal('psi', 2)}, Kolmogorov-Smirnov ${n.decimal('ks', 2)}).`,
  },
  scale_break: {
    tr: (n) =>
      `Kapanış ${n.units('price_units')}, ${n.day('base_day')} kapanışının (${n.units('base_units')}) ${n.decimal('factor', 4)} katı ve orada kalıyor: başka bir birim ya da yanlış bir çarpan. Getiri bu kırılmanın üzerinden hesaplanmaz.`,
    en: (n) =>
      `The close of ${n.units('price_units')} is ${n.decimal('factor', 4)} times the close of ${n.day('base_day')} (${n.units('base_units')}) and stays there: another unit or a wrong factor. No return is computed across it.`,
  },
  off_tick: {
    tr: (n) => `${word(FIELDS, n, 'field')} ${n.units('price_units')}, ${n.units('tick_units')} fiyat adımının katı değil.`,
    en: (n) => `${word(FIELDS, n, 'field')} of ${n.units('price_units')} is not a multiple of the price step of ${n.units('tick_units')}.`,
  },
  limit_locked: {
    tr: (n) =>
      `${n.is('all_session') ? 'Bütün işlemler günlük sınırdan geçti' : 'Seans günlük sınırda bitti'}: ${n.units('base_units')} fiyatından ${n.units('close_units')} fiyatına, ${n.signed('move_share')}.`,
    en: (n) =>
      `${n.is('all_session') ? 'All trades were at the daily limit' : 'The session ended at the daily limit'}: from ${n.units('base_units')} to ${n.units('close_units')}, ${n.signed('move_share')}.`,
  },
  halted_session: {
    tr: () => 'İşlem olmadı ve fiyat değişmedi: pay durdurulmuştu.',
    en: () => 'Nothing was traded and the price stood still: the share was halted.',
  },
  dead_volume: {
    tr: (n) => `${n.day('to')} gününe dek ${n.count('rows_count')} satırda hacim yok, oysa fiyat oynuyor: kaynak hacmi kaybetmiş.`,
    en: (n) => `${n.count('rows_count')} rows up to ${n.day('to')} have no volume although the price moves: the source lost it.`,
  },
  empty_series: { tr: () => 'Kaynak başlık verdi, satır vermedi.', en: () => 'The source gave a header and no rows.' },
  volume_absent: {
    tr: (n) => `${n.count('rows_count')} satırın hiçbirinde hacim yok.`,
    en: (n) => `None of the ${n.count('rows_count')} rows has a volume.`,
  },
  fx_jump: {
    tr: (n) => `Kur bir günde ${n.units('base_units')} değerinden ${n.units('price_units')} değerine, ${n.signed('move_share')}.`,
    en: (n) => `The rate moved from ${n.units('base_units')} to ${n.units('price_units')} in a day, ${n.signed('move_share')}.`,
  },
  early_history: {
    tr: (n) =>
      `${n.day('from')} – ${n.day('to')} arasındaki ${n.count('rows_count')} satır denetlenir ama öğrenmede kullanılmaz: o yılların takvimi ve sınırları tek kaynağa dayanıyor.`,
    en: (n) =>
      `${n.count('rows_count')} rows from ${n.day('from')} to ${n.day('to')} are checked but not learned from: the calendar and limits of those years rest on one source.`,
  },
  outside_session: { tr: (n) => `Çubuk ${word(PHASES, n, 'phase')}.`, en: (n) => `The bar lies ${word(PHASES, n, 'phase')}.` },
  time_zone_shift: {
    tr: (n) => {
      const minutes = n.value('shift_minutes') ?? 0;
      return `${n.day('from')} – ${n.day('to')} arasındaki çubuklar seansa göre ${n.magnitude('shift_minutes')} dakika ${minutes < 0 ? 'erken' : 'geç'}: başka bir saat diliminin saatleri.`;
    },
    en: (n) => {
      const minutes = n.value('shift_minutes') ?? 0;
      return `The bars from ${n.day('from')} to ${n.day('to')} are ${n.magnitude('shift_minutes')} minutes ${minutes < 0 ? 'early' : 'late'} for the session: times of another zone.`;
    },
  },
  missing_intraday_bars: {
    tr: (n) => `Seansın ${n.count('expected_count')} çubuğundan ${n.count('found_count')} tanesi var.`,
    en: (n) => `${n.count('found_count')} of the ${n.count('expected_count')} bars of the session are there.`,
  },
  misaligned_time: {
    tr: (n) => `Çubuk, başlaması gereken andan ${n.count('off_by_s')} saniye sonra başlıyor.`,
    en: (n) => `The bar begins ${n.count('off_by_s')} seconds after the time at which bars begin.`,
  },
  bar_count_unusual: {
    tr: (n) => `${n.count('bars_count')} çubuk var; günlerin çoğunda ${n.count('usual_count')}.`,
    en: (n) => `There are ${n.count('bars_count')} bars; most days have ${n.count('usual_count')}.`,
  },
  opening_bar_without_volume: {
    tr: () => 'Günün ilk çubuğunun hacmi yok; bu kaynağın bütün ilk çubuklarında öyle.',
    en: () => 'The first bar of the day has no volume, as all first bars of this source.',
  },
};

export const SENTENCE_CODES: readonly string[] = Object.keys(SENTENCES);

/** A finding as a sentence, and the language that it is in: of a code that is not known here, the server's own. */
export function findingSentence(language: Language, finding: Pick<Finding, 'code' | 'text' | 'values'>): { text: string; lang: Language } {
  const sentences = SENTENCES[finding.code];
  if (sentences === undefined) return { text: finding.text, lang: 'en' };
  return { text: sentences[language](new NamedNumbers(language, finding.values)), lang: language };
}

/** A number of a finding in its unit, which the end of its name tells. */
export function findingValue(language: Language, name: string, of: unknown): string {
  const n = new NamedNumbers(language, { [name]: of });
  if (Array.isArray(of)) return list(language, of.map((one) => findingValue(language, name, one)));
  if (name === 'name') return closureName(language, n.text(name));
  if (typeof of === 'string') return WORDS[name]?.[of]?.[language] ?? (/^\d{4}-\d{2}-\d{2}$/.test(of) ? n.day(name) : of);
  if (typeof of === 'object' && of !== null) return refusal(new NamedNumbers(language, { reason: of }));
  if (typeof of !== 'number') return of === null ? MISSING : String(of);
  if (name.endsWith('_units')) return n.units(name);
  if (/(^|_)(move|return)_share$/.test(name)) return n.signed(name);
  if (name.endsWith('_share')) return n.share(name);
  return Number.isInteger(of) ? n.count(name) : n.decimal(name, 4);
}
