/** The fewest characters of a password; the server has the last word, on common ones, too. */
export const PASSWORD_LENGTH_MIN = 12;

/** How many characters a password still lacks, counted as a reader counts them. */
export function missingLength(password: string): number {
  return Math.max(0, PASSWORD_LENGTH_MIN - [...password].length);
}
