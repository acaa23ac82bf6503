import type { Language } from './dictionary';

/** The names that the server's calendar gives to closed days, in Turkish. */
const TURKISH: Record<string, string> = {
  "New Year's Day": 'Yılbaşı',
  "National Sovereignty and Children's Day": 'Ulusal Egemenlik ve Çocuk Bayramı',
  'Labour and Solidarity Day': 'Emek ve Dayanışma Günü',
  'Commemoration of Atatürk, Youth and Sports Day': "Atatürk'ü Anma, Gençlik ve Spor Bayramı",
  'Democracy and National Unity Day': 'Demokrasi ve Millî Birlik Günü',
  'Victory Day': 'Zafer Bayramı',
  'Republic Day': 'Cumhuriyet Bayramı',
  'closed after the earthquake': 'deprem sonrası kapalı',
  'session cancelled (earthquake)': 'seans iptal edildi (deprem)',
  'closed by the exchange': 'borsa kapattı',
  'closed on the eve of Kurban Bayramı': 'Kurban Bayramı arifesinde kapalı',
  'closed on the eve of Ramazan Bayramı': 'Ramazan Bayramı arifesinde kapalı',
  'closed after Ramazan Bayramı': 'Ramazan Bayramı sonrası kapalı',
  'closed after the attacks of 20 November': '20 Kasım saldırılarından sonra kapalı',
  'closed because of snow': 'kar nedeniyle kapalı',
  'closed for the change to the new lira': 'yeni liraya geçiş için kapalı',
  weekend: 'hafta sonu',
};

export function closureName(language: Language, name: string): string {
  return language === 'tr' ? (TURKISH[name] ?? name) : name;
}
