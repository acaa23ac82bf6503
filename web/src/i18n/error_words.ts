import type { ErrorKind, ErrorState } from '../api/schema/analytics';
import type { Language } from './dictionary';

const tr = {
  explain: 'Sunucuda, işlerde ve sayfalarda olan hatalar; aynı yerdeki aynı hata bir satırdır. Gövdeler, gizler, kodlar ve yazılanlar kaydedilmez.',
  state: 'Durum',
  states: { open: 'açık', resolved: 'çözüldü', muted: 'susturuldu' } as Record<ErrorState, string>,
  kind: 'Tür',
  kinds: { panic: 'çökme', internal: 'sunucu', job: 'iş', page: 'sayfa', other: 'diğer' } as Record<ErrorKind, string>,
  title: 'Hata',
  count: 'Kez',
  first: 'İlk',
  last: 'Son',
  place: 'Yer',
  release: 'Sürüm',
  list: 'Hatalar',
  none: 'Henüz hata yok',
  noneHere: 'Bu seçimle hata yok',
  clear: 'Seçimi kaldır',
  ofRequest: 'İsteğin hataları:',
  events: 'Son olaylar',
  eventsText: (shown: string, all: string) => `${all} olayın en yeni ${shown} tanesi`,
  eventsNone: 'Olayların ayrıntısı artık saklanmıyor.',
  request: 'İstek kimliği',
  route: 'Uç nokta',
  before: 'Öncesinde olanlar',
  beforeNone: 'Öncesinde bir şey kaydedilmedi.',
  copy: 'Kopyala',
  copied: 'Kopyalandı',
  steps: { resolved: 'Çözüldü', muted: 'Sustur', open: 'Yeniden aç' } as Record<ErrorState, string>,
  stepTexts: { open: 'Çözülen bir hata yeniden olursa kendiliğinden açılır; susturulan açılmaz.' },
  back: 'Tüm hatalar',
  failed: 'Hatalar alınamadı',
};

export type ErrorWords = typeof tr;

const en: ErrorWords = {
  explain: 'What failed on the server, in jobs and on pages; the same error at the same place is one row. Bodies, secrets, codes and what was typed are not recorded.',
  state: 'State',
  states: { open: 'open', resolved: 'resolved', muted: 'muted' },
  kind: 'Kind',
  kinds: { panic: 'panic', internal: 'server', job: 'job', page: 'page', other: 'other' },
  title: 'Error',
  count: 'Times',
  first: 'First',
  last: 'Last',
  place: 'Place',
  release: 'Release',
  list: 'Errors',
  none: 'There is no error yet',
  noneHere: 'No error with this choice',
  clear: 'Clear the choice',
  ofRequest: 'Errors of the request',
  events: 'Last events',
  eventsText: (shown, all) => `The newest ${shown} of ${all} events`,
  eventsNone: 'The details of its events are kept no longer.',
  request: 'Request id',
  route: 'Endpoint',
  before: 'What came before',
  beforeNone: 'Nothing was recorded before.',
  copy: 'Copy',
  copied: 'Copied',
  steps: { resolved: 'Resolve', muted: 'Mute', open: 'Reopen' },
  stepTexts: { open: 'A resolved error that happens again opens by itself; a muted one does not.' },
  back: 'All errors',
  failed: 'The errors could not be loaded',
};

export function errorWords(language: Language): ErrorWords {
  return language === 'tr' ? tr : en;
}
