import type { Language } from './dictionary';
import { qualityEn } from './quality_en';
import { qualityTr } from './quality_tr';

export type QualityWords = typeof qualityTr;

/** The words of the pages of data quality, which the shell does not carry. */
export function qualityWords(language: Language): QualityWords {
  return language === 'tr' ? qualityTr : qualityEn;
}
