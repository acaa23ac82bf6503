const LETTERS: Record<string, string> = {
  ı: 'i',
  İ: 'i',
  I: 'i',
  ş: 's',
  Ş: 's',
  ğ: 'g',
  Ğ: 'g',
  ç: 'c',
  Ç: 'c',
  ö: 'o',
  Ö: 'o',
  ü: 'u',
  Ü: 'u',
};

/** A text as it is compared in a search: "ŞİŞECAM", "şişecam" and "sisecam" are one. */
export function fold(text: string): string {
  let folded = '';
  for (const letter of text.normalize('NFC')) folded += LETTERS[letter] ?? letter.toLowerCase();
  return folded
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .trim();
}

/** The better a match, the smaller the number; null when there is none. */
export function rank(query: string, symbol: string, name: string | null, formerNames: string[] = []): number | null {
  const wanted = fold(query);
  if (wanted === '') return 0;
  const ticker = fold(symbol);
  const title = fold(name ?? '');
  if (ticker === wanted) return 0;
  if (formerNames.some((former) => fold(former) === wanted)) return 0;
  if (ticker.startsWith(wanted) || formerNames.some((former) => fold(former).startsWith(wanted))) return 1;
  if (title.startsWith(wanted)) return 2;
  if (title.split(/\s+/).some((word) => word.startsWith(wanted))) return 3;
  if (ticker.includes(wanted) || title.includes(wanted)) return 4;
  return null;
}
