import { settings } from '../settings.svelte';
import * as measures from './measures';

/** The formatters of `measures.ts` in the language of the reader; they follow a change of it. */
export const measure = {
  milliseconds: (value: number | null | undefined) => measures.milliseconds(settings.language, value),
  length: (seconds: number | null | undefined) => measures.length(settings.language, seconds),
  exactInstant: (value: string | null | undefined) => measures.exactInstant(settings.language, value),
  tick: (at: Date, apart_s: number) => measures.tick(settings.language, at, apart_s),
};
