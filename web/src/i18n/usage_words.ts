import type { Language } from './dictionary';

const tr = {
  explain: 'Her istek sayılır; gövdeler ve sorgular hiçbir yerde tutulmaz.',
  within: (share: string) => `Yüzdelikler gerçek değerden en çok ${share} sapar.`,
  by: 'Neye göre',
  kinds: { route: 'Uç nokta', account: 'Kişi', key: 'Anahtar' },
  total: 'Toplam',
  rows: 'Kullanım tablosu',
  more: (count: string) => `İlk ${count} satır; hepsi CSV dosyasındadır.`,
  none: 'Bu aralıkta istek yok',
  choose: (name: string) => `Grafikte göster: ${name}`,
  requestsOf: (name: string) => `İstekler: ${name}`,
  timesOf: (name: string) => `Süreler: ${name}`,
  noCharts: (name: string) => `“${name}” tek bir kişinin ya da anahtarın değildir; grafiği yoktur.`,
  failed: 'Kullanım alınamadı',
  failedSeries: 'Grafik alınamadı',
  file: 'api-kullanimi',
};

export type UsageWords = typeof tr;

const en: UsageWords = {
  explain: 'Each request is counted; bodies and queries are kept nowhere.',
  within: (share) => `Percentiles are within ${share} of the truth.`,
  by: 'By',
  kinds: { route: 'Endpoint', account: 'Person', key: 'Key' },
  total: 'Total',
  rows: 'Table of usage',
  more: (count) => `The first ${count} rows; the CSV file has all.`,
  none: 'No requests in this window',
  choose: (name) => `Show in the chart: ${name}`,
  requestsOf: (name) => `Requests: ${name}`,
  timesOf: (name) => `Latency: ${name}`,
  noCharts: (name) => `“${name}” is of nobody in particular and has no chart.`,
  failed: 'The usage could not be loaded',
  failedSeries: 'The chart could not be loaded',
  file: 'api-usage',
};

export function usageWords(language: Language): UsageWords {
  return language === 'tr' ? tr : en;
}
