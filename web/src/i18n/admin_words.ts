import type { Language } from './dictionary';

const tr = {
  parts: 'Yönetim sayfaları',
  tabs: { overview: 'Genel bakış', usage: 'Kullanım', activity: 'Etkinlik', limits: 'Sınırlar', errors: 'Hatalar', users: 'Kullanıcılar', keys: 'Anahtarlar', audit: 'Denetim', trading: 'Sanal işlem', backups: 'Yedekler' },
  forbiddenTitle: 'Bu sayfa yöneticiler içindir',
  forbidden: (role: string) => `Rolünüz: ${role}. Gerekiyorsa yöneticinizden yetki isteyin.`,
  window: 'Zaman aralığı',
  windows: { hour: 'Son saat', day: '24 saat', week: '7 gün', month: '30 gün' },
  before: { hour: 'önceki saate göre', day: 'önceki 24 saate göre', week: 'önceki 7 güne göre', month: 'önceki 30 güne göre' },
  asOf: (at: string) => `${at} itibarıyla`,
  each: (step: string) => `her nokta ${step}`,
  table: 'Tablo olarak',
  moment: 'Zaman',
  noPoints: 'Bu aralıkta istek yok.',
  chart: (title: string, from: string, to: string) => `${title}, ${from} – ${to}. Ok tuşlarıyla noktalar arasında gezinin.`,
  older: 'Daha eskiler',
  shown: (count: string) => `${count} kayıt gösteriliyor`,
  all: 'hepsi',
  csv: 'CSV olarak indir',
  exporting: 'Hazırlanıyor…',
  unnamed: { '(nobody)': 'oturumsuz', '(no key)': 'anahtarsız', '(other)': 'diğerleri' } as Record<string, string>,
  columns: { route: 'Uç nokta', requests: 'İstek', clientErrors: '4xx', refused: 'Reddedilen', errors: 'Hata', last: 'Son istek' },
};

export type AdminWords = typeof tr;

const en: AdminWords = {
  parts: 'Pages of administration',
  tabs: { overview: 'Overview', usage: 'Usage', activity: 'Activity', limits: 'Limits', errors: 'Errors', users: 'Users', keys: 'Keys', audit: 'Audit', trading: 'Paper trading', backups: 'Backups' },
  forbiddenTitle: 'This page is for administrators',
  forbidden: (role) => `Your role: ${role}. Ask an administrator if you need more.`,
  window: 'Window of time',
  windows: { hour: 'Last hour', day: '24 hours', week: '7 days', month: '30 days' },
  before: { hour: 'against the hour before', day: 'against the 24 hours before', week: 'against the 7 days before', month: 'against the 30 days before' },
  asOf: (at) => `As of ${at}`,
  each: (step) => `each point ${step}`,
  table: 'As a table',
  moment: 'Time',
  noPoints: 'No requests in this window.',
  chart: (title, from, to) => `${title}, ${from} – ${to}. The arrow keys go from point to point.`,
  older: 'Older ones',
  shown: (count) => `${count} shown`,
  all: 'all',
  csv: 'Download as CSV',
  exporting: 'Under way…',
  unnamed: { '(nobody)': 'not signed in', '(no key)': 'without a key', '(other)': 'others' },
  columns: { route: 'Endpoint', requests: 'Requests', clientErrors: '4xx', refused: 'Refused', errors: 'Errors', last: 'Last request' },
};

/** The words that the pages of administration share, which the shell does not carry. */
export function adminWords(language: Language): AdminWords {
  return language === 'tr' ? tr : en;
}
