import type { Language } from './dictionary';
import { studyEn } from './study_en';
import { studyTr } from './study_tr';

export type StudyWords = typeof studyTr;

/** The words of the pages of studies, which the shell does not carry. */
export function studyWords(language: Language): StudyWords {
  return language === 'tr' ? studyTr : studyEn;
}
