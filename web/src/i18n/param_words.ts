import type { Language } from './dictionary';

/** What the parameters of our studies mean; their names stay as they are, as commands and files write them. */
const PARAMS: Record<string, { tr: string; en: string }> = {
  learning_rate: { tr: 'her adımın ne kadar sayıldığı', en: 'how much each step counts' },
  num_iterations: { tr: 'ağaç sayısı', en: 'number of trees' },
  num_leaves: { tr: 'bir ağacın en çok yaprağı', en: 'most leaves of a tree' },
  min_data_in_leaf: { tr: 'bir yapraktaki en az satır', en: 'least rows in a leaf' },
  lambda_l2: { tr: 'yaprak değerlerinin L2 cezası', en: 'L2 penalty on values of leaves' },
  feature_fraction: { tr: 'her ağacın gördüğü öznitelik payı', en: 'share of features that a tree sees' },
  bagging: { tr: 'ağaçlar satırların bir kısmından öğrenir', en: 'trees learn from some of the rows' },
  bagging_fraction: { tr: 'her ağacın gördüğü satır payı', en: 'share of rows that a tree sees' },
  early_stopping: { tr: 'iyileşme bitince ağaç eklenmez', en: 'no more trees once nothing improves' },
  early_stopping_rounds: { tr: 'iyileşme için beklenen ağaç sayısı', en: 'trees waited for an improvement' },
  objective: { tr: 'ağaçların neye göre öğrendiği', en: 'what the trees are trained for' },
  huber_alpha: { tr: 'hatanın doğrusal sayılmaya başladığı yer', en: 'where an error begins to count linearly' },
  alpha: { tr: 'katsayı cezasının gücü', en: 'strength of the penalty on coefficients' },
  l1_ratio: { tr: 'cezanın katsayıları sıfırlayan payı', en: 'share of the penalty that sets coefficients to zero' },
  steps: { tr: 'ağın geriye baktığı adım', en: 'steps that the network looks back' },
  layers: { tr: 'katman sayısı', en: 'number of layers' },
  hidden: { tr: 'bir katmanın genişliği', en: 'width of a layer' },
  embedding: { tr: 'sembol vektörünün uzunluğu', en: 'length of a symbol’s vector' },
  dropout: { tr: 'eğitimde susturulan birim payı', en: 'share of units silenced in training' },
  weight_decay: { tr: 'ağırlıkların küçültülmesi', en: 'shrinking of the weights' },
  early_stopping_epochs: { tr: 'iyileşme için beklenen geçiş sayısı', en: 'passes waited for an improvement' },
  changepoint_prior_scale: { tr: 'trendin ne kadar kolay döndüğü', en: 'how easily the trend bends' },
  n_changepoints: { tr: 'trendin dönebileceği yer sayısı', en: 'places where the trend may bend' },
  changepoint_range: { tr: 'trendin dönebildiği geçmiş payı', en: 'share of the history where the trend may bend' },
  yearly_seasonality: { tr: 'yıllık mevsimsellik', en: 'yearly seasonality' },
  yearly_order: { tr: 'yıllık eğrinin ayrıntısı', en: 'detail of the yearly curve' },
  holidays: { tr: 'tatil çevresinin etkisi', en: 'effect of days around closures' },
  with_elastic_net: { tr: 'toplulukta elastik ağ', en: 'elastic net in the ensemble' },
  with_lstm: { tr: 'toplulukta LSTM', en: 'LSTM in the ensemble' },
  with_prophet: { tr: 'toplulukta Prophet', en: 'Prophet in the ensemble' },
  stacking_prior_share: { tr: 'eşit ağırlıklara çekiş', en: 'pull towards equal weights' },
  costs_multiple: { tr: 'beklenen getiri maliyeti kaç kat aşmalı', en: 'how often costs must be exceeded' },
  band_level: { tr: 'maliyeti aşması gereken bandın düzeyi', en: 'level of the band that must clear the costs' },
};

/** What a parameter means; null of one that is not ours. */
export function paramMeaning(language: Language, param: string): string | null {
  return PARAMS[param]?.[language] ?? null;
}
