import type { Language } from './dictionary';

const tr = {
  method: 'Yöntem',
  methods: { shap: 'SHAP', lime: 'LIME' },
  failed: 'Açıklama alınamadı',
  shapNote: 'Modelin tahmine nasıl vardığı, piyasanın neden hareket ettiği değil. Taban ve katkılar tahmine tam olarak toplanır.',
  limeNote: 'LIME, tahminin yakın çevresinde doğrusal bir benzetimdir; modelin kendisi değildir.',
  lime: (r2: string, samples: string) => `Yerel R² ${r2} (${samples} örnek)`,
  stability: (agreement: string) => `yinelemelerde sıra uyumu ${agreement}`,
  weakFit: 'Doğru, modeli burada zayıf anlatıyor: sıralamaya güvenmeyin.',
  residual: 'Doğrunun anlatmadığı',
  members: 'Üyelere göre',
  member: 'Üye',
  weight: 'Ağırlık',
  memberForecast: 'Kendi tahmini',
  whatIf: {
    title: 'Değerler başka olsaydı',
    help: 'En güçlü özniteliklerin değerini değiştirin, tahminin nasıl oynadığını görün. Değerler modelin gördüğü birimdedir.',
    reset: 'Geri al',
    before: 'Şimdiki tahmin',
    after: 'Değişmiş tahmin',
    moved: 'En çok oynayan katkılar',
    failed: 'Tahmin hesaplanamadı',
    computing: 'Hesaplanıyor',
  },
};

const en: typeof tr = {
  method: 'Method',
  methods: { shap: 'SHAP', lime: 'LIME' },
  failed: 'The explanation could not be fetched',
  shapNote: 'How the model decided, not why the market moves. Base and contributions add up to the forecast exactly.',
  limeNote: 'LIME is a straight line fitted near the forecast; it is not the model itself.',
  lime: (r2, samples) => `Local R² ${r2} (${samples} samples)`,
  stability: (agreement) => `agreement in rank over repeated runs ${agreement}`,
  weakFit: 'The line tells the model poorly here: do not trust the order.',
  residual: 'What the line does not tell',
  members: 'By member',
  member: 'Member',
  weight: 'Weight',
  memberForecast: 'Its own forecast',
  whatIf: {
    title: 'If the values were others',
    help: 'Change the values of the strongest features and see the forecast move. Values are in the units that the model sees.',
    reset: 'Reset',
    before: 'Forecast now',
    after: 'Forecast then',
    moved: 'Contributions that moved most',
    failed: 'The forecast could not be computed',
    computing: 'Computing',
  },
};

/** The words of explanations, which the shell does not carry. */
export function explanationWords(language: Language): typeof tr {
  return language === 'tr' ? tr : en;
}
