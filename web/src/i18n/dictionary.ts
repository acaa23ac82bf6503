import { en } from './en';
import { tr } from './tr';

export type Language = 'tr' | 'en';
export type Dictionary = typeof tr;

const DICTIONARIES: Record<Language, Dictionary> = { tr, en };

export function getDictionary(language: Language): Dictionary {
  return DICTIONARIES[language];
}
