import type { Language } from './dictionary';

const tr = {
  title: 'Yeni kurtarma kodları',
  done: 'Bitti',
  once: 'Bu kodlar yalnız şimdi gösterilir. Telefonunuz yanınızda olmadığında her biri bir kez, doğrulama kodu yerine geçer.',
  copy: 'Kopyala',
  copied: 'Kopyalandı',
  download: 'Metin dosyası olarak indir',
  print: 'Yazdır',
  file: 'bist-kurtarma-kodlari.txt',
  fileHead: (name: string) => `BIST AI Smart Trader, ${name} hesabının kurtarma kodları. Her kod bir kez kullanılır.`,
  kept: 'Kodları sakladım',
};

const en: typeof tr = {
  title: 'New recovery codes',
  done: 'Done',
  once: 'These codes are shown only now. Each of them takes the place of a verification code once, when you do not have your phone.',
  copy: 'Copy',
  copied: 'Copied',
  download: 'Download as a text file',
  print: 'Print',
  file: 'bist-recovery-codes.txt',
  fileHead: (name) => `BIST AI Smart Trader, recovery codes of ${name}. Each code works once.`,
  kept: 'I have kept the codes',
};

export type RecoveryWords = typeof tr;

/** The words about recovery codes, which enrolment and settings share. */
export function recoveryWords(language: Language): RecoveryWords {
  return language === 'tr' ? tr : en;
}
