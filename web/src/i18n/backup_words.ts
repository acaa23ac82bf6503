import type { Language } from './dictionary';

const tr = {
  explain: 'Bir yedek; veritabanını, modelleri, denetim köklerini ve ayarları içerir, şifrelenir ve sunucu çalışırken alınır. Ana anahtar hiçbir yedekte yoktur.',
  list: 'Yedekler',
  name: 'Ad',
  created: 'Anı',
  size: 'Boyut',
  rows: 'Satır',
  checked: 'Son sınama',
  never: 'henüz sınanmadı',
  sound: (at: string) => `sağlam, ${at}`,
  without: (count: string) => `${count} modelin dosyası eksik`,
  none: 'Henüz yedek yok',
  off: 'Yedek alınmıyor: yedekler şifrelenir ve kimin açabileceği ayarlanmamış.',
  overdue: 'En yeni yedek 30 saatten eski ya da hiç yedek yok. Son çalıştırmalara bakın.',
  runs: 'İşler',
  kept: (days: string, weeks: string, months: string) => `Saklananlar: son ${days} günün, ${weeks} haftanın ve ${months} ayın en yeni yedekleri. Klasör:`,
  create: 'Şimdi yedek al',
  createText: 'Her gün saat 02.00’de kendiliğinden alınır.',
  drill: 'En yeni yedeği dene',
  drillText: 'Yedek ayrı bir yere geri yüklenir; satırları, denetim zinciri, gizleri ve modelleri denetlenir, sonra silinir. Pazar günleri saat 05.00’te kendiliğinden yapılır.',
  drillOff: 'Bu makine yedekleri açamaz: kimlik dosyası burada değil. Başka bir yerde deneyin:',
  why: 'Neden (kaydedilir)',
  restore: 'Geri yükleme',
  restoreText: 'Geri yükleme, sunucunun üzerinde durduğu veriyi değiştirir; bu yüzden sunucu durdurulup makinede komutla yapılır. Önce boş bir klasöre geri yükleyip bakın:',
  failed: 'Yedekler okunamadı',
};

export type BackupWords = typeof tr;

const en: BackupWords = {
  explain: 'A backup holds the database, the models, the roots of the audit and the configuration; it is encrypted and made while the server runs. The master key is in none.',
  list: 'Backups',
  name: 'Name',
  created: 'Moment',
  size: 'Size',
  rows: 'Rows',
  checked: 'Tried last',
  never: 'not tried yet',
  sound: (at) => `right, ${at}`,
  without: (count) => `without the files of ${count} models`,
  none: 'There is no backup yet',
  off: 'No backup is made: backups are encrypted, and for whom is not configured.',
  overdue: 'The newest backup is more than 30 hours old, or there is none. Look at the last runs.',
  runs: 'Jobs',
  kept: (days, weeks, months) => `Kept: the newest of each of the last ${days} days, ${weeks} weeks and ${months} months. In the folder:`,
  create: 'Make one now',
  createText: 'One is made at 02:00 each day.',
  drill: 'Try the newest out',
  drillText: 'The backup is restored beside; its rows, its audit, its secrets and its models are looked at, and it is gone again. It is done on Sundays at 05:00.',
  drillOff: 'This machine cannot open backups: the identity is not here. Try them elsewhere:',
  why: 'Why (it is recorded)',
  restore: 'Restoring',
  restoreText: 'A restore replaces what the server stands on, so it is a command on the machine, with the server stopped. Restore into an empty directory first and look:',
  failed: 'The backups cannot be read',
};

export function backupWords(language: Language): BackupWords {
  return language === 'tr' ? tr : en;
}
