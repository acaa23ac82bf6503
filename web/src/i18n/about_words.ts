import type { Language } from './dictionary';

const tr = {
  title: 'Hakkında',
  what: 'BIST AI Smart Trader',
  whatText:
    'Borsa İstanbul verisini doğrular, tahmine çevirir, tahmini açıklar ve ne kadar güvenilebileceğini örneklem dışı ölçümlerle gösterir. Yatırım tavsiyesi vermez, emir göndermez.',
  sampleTitle: 'Örnek veri',
  sampleText:
    '“ÖRNEK” etiketi taşıyan semboller gerçek hisse değildir. `bist sample` komutu bunları borsanın takvimi, fiyat adımları ve günlük sınırlarıyla üretir; bazılarına bilinen ölçüde öngörülebilirlik, bazılarına hiç konmaz. Böylece modelin söyledikleri gerçeğe karşı sınanabilir. Bu veriden çıkan her sayı depoda, API’de ve ekranda “örnek” olarak işaretlidir.',
  readingTitle: 'Sayılar nasıl okunur?',
  reading: [
    'Tahmin bir nokta değil, banttır: %80 bandının söz verdiği ile geçmişte tuttuğu yan yana yazılır.',
    'Karne yalnız modelin eğitimde görmediği günlerden ve maliyetten sonra hesaplanır.',
    'Model basit kıyasları geçemiyorsa sinyal TUT olur ve gerekçesi yazılır.',
    'Fiyatlar gün sonu verisidir; her sayfada hangi güne ait oldukları yazar.',
  ],
  creditsTitle: 'Kullanılan yazılımlar',
  creditsText: 'Bu sayfalar şu açık kaynak çalışmaları içerir:',
  licence: 'Lisans',
  notice: 'Bildirim',
  texts: 'Lisans metinlerinin tamamı',
  apiDocs: 'API belgeleri',
  swagger: 'Yalnız API belgeleri sayfasında',
  programme: 'Bu program MIT veya Apache-2.0 lisansıyla dağıtılır.',
};

const en: typeof tr = {
  title: 'About',
  what: 'BIST AI Smart Trader',
  whatText:
    'Validates data of Borsa İstanbul, turns them into forecasts, explains the forecasts and shows, out of sample, how far they can be trusted. It gives no investment advice and sends no orders.',
  sampleTitle: 'Sample data',
  sampleText:
    'Symbols with the label “SAMPLE” are not real shares. The command `bist sample` generates them with the calendar, price steps and daily limits of the exchange; some carry a known amount of predictability and some none, so that what the model claims can be checked against the truth. Every number made from them is marked “sample” in the store, in the API and on screen.',
  readingTitle: 'How to read the numbers',
  reading: [
    'A forecast is a band, not a point: what the 80% band promises stands beside what it kept in the past.',
    'The record counts only days the model had not seen in training, and only after costs.',
    'If the model cannot beat simple baselines the signal is HOLD, and the reason is given.',
    'Prices are end-of-day data; every page says which day they belong to.',
  ],
  creditsTitle: 'Software used',
  creditsText: 'These pages contain the following open-source work:',
  licence: 'Licence',
  notice: 'Notice',
  texts: 'The full licence texts',
  apiDocs: 'API documentation',
  swagger: 'On the API documentation page only',
  programme: 'This program is distributed under MIT or Apache-2.0.',
};

/** The words of the page about the product, which the shell does not carry. */
export function aboutWords(language: Language): typeof tr {
  return language === 'tr' ? tr : en;
}
