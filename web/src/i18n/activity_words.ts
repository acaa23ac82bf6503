import type { Language } from './dictionary';

const tr = {
  explain: 'Kimin ne zaman girdiği, hangi sembole baktığı, neyi aradığı, neyi dışa aktardığı, hangi uyarısının tetiklendiği ve hangi hisse için sanal emir verdiği. Aranan metin tutulmaz, yalnız bulunan sembol tutulur. Bir kişi silinince bunlar da silinir.',
  summary: 'Özet',
  active: 'Etkin kişi',
  kinds: { sign_in: 'giriş', view: 'bakış', search: 'arama', export: 'dışa aktarma', alert: 'uyarı', order: 'sanal emir' } as Record<string, string>,
  lines: { signIns: 'Giriş', views: 'Bakış', searches: 'Arama', exports: 'Dışa aktarma', alerts: 'Uyarı', orders: 'Sanal emir' },
  list: 'Etkinlikler',
  person: 'Kişi',
  kind: 'Tür',
  subject: 'Konu',
  request: 'İstek kimliği',
  none: 'Bu aralıkta etkinlik yok',
  noneHere: 'Bu seçimle etkinlik yok',
  clear: 'Seçimi kaldır',
  removed: 'silinmiş kişi',
  failed: 'Etkinlikler alınamadı',
  failedPeople: 'Kişiler alınamadı',
  file: 'etkinlik',
};

export type ActivityWords = typeof tr;

const en: ActivityWords = {
  explain: 'Who signed in when, which symbols they looked at, searched and exported, which of their alerts fired, and for which shares they placed paper orders. What was typed into a search is not kept, only the symbol found. It goes when the person is erased.',
  summary: 'Summary',
  active: 'Active people',
  kinds: { sign_in: 'sign-in', view: 'view', search: 'search', export: 'export', alert: 'alert', order: 'paper order' },
  lines: { signIns: 'Sign-ins', views: 'Views', searches: 'Searches', exports: 'Exports', alerts: 'Alerts', orders: 'Paper orders' },
  list: 'Activities',
  person: 'Person',
  kind: 'Kind',
  subject: 'Subject',
  request: 'Request id',
  none: 'No activity in this window',
  noneHere: 'No activity with this choice',
  clear: 'Clear the choice',
  removed: 'erased person',
  failed: 'The activities could not be loaded',
  failedPeople: 'The people could not be loaded',
  file: 'activity',
};

export function activityWords(language: Language): ActivityWords {
  return language === 'tr' ? tr : en;
}
