import type { ApiError } from '../api/client';
import type { Dictionary } from '../i18n/dictionary';

/** What a problem means, in the language of the reader. */
export function problemSentence(errors: Dictionary['state']['errors'], { code }: ApiError): string {
  return code in errors ? errors[code as keyof typeof errors] : errors.other;
}
