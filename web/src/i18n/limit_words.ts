import type { Language } from './dictionary';

const tr = {
  explain: 'Bir kişi, anahtar ya da adres kısa sürede izin verilenden çok isterse 429 yanıtı alır ve ne zaman yeniden isteyebileceğini öğrenir.',
  policies: 'Sınırlar',
  policiesNone: 'Hiçbir sınır yürürlükte değil.',
  kind: 'Sınıf',
  kinds: { ai: 'tahmin, sinyal ve açıklama', auth: 'giriş', trading: 'emir ve portföy', default: 'diğer her şey', all: 'sınıf dışı (canlı yayın)' } as Record<string, string>,
  allowed: 'İzin verilen',
  every: (count: string, period: string) => `${period} içinde ${count}`,
  refused: 'Reddedilenler',
  overTime: 'Reddedilen istekler',
  who: 'Kim',
  key: 'Anahtar',
  count: 'Reddedilen',
  last: 'Son',
  address: 'oturumsuz ya da silinmiş',
  other: 'diğerleri (ayrı sayılamayacak kadar çoktu)',
  none: 'Bu aralıkta kimse sınıra takılmadı',
  usage: 'Kullanım',
  failed: 'Sınırlar alınamadı',
};

export type LimitWords = typeof tr;

const en: LimitWords = {
  explain: 'A person, a key or an address that asks for more than is allowed in a short time is answered 429, and told when to ask again.',
  policies: 'Limits',
  policiesNone: 'No limit is in force.',
  kind: 'Class',
  kinds: { ai: 'forecasts, signals and explanations', auth: 'sign-in', trading: 'orders and portfolios', default: 'anything else', all: 'no class (live stream)' },
  allowed: 'Allowed',
  every: (count, period) => `${count} in ${period}`,
  refused: 'Who was refused',
  overTime: 'Refused requests',
  who: 'Who',
  key: 'Key',
  count: 'Refused',
  last: 'Last',
  address: 'not signed in, or erased',
  other: 'others (too many to tell apart)',
  none: 'Nobody hit a limit in this window',
  usage: 'Usage',
  failed: 'The limits could not be loaded',
};

export function limitWords(language: Language): LimitWords {
  return language === 'tr' ? tr : en;
}
