/** A secret as it is typed by hand: in groups of four. */
export function inGroups(secret: string): string[] {
  return secret.match(/.{1,4}/g) ?? [];
}
