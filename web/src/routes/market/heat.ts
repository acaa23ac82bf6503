/** The share of the strongest value of a column from which a cell is coloured. */
const COLOURED_FROM = 0.33;

/** How a cell of a heat map looks: the sign is in the number, the colour marks what stands out. */
export function heatOf(share: number | null, most: number): 'gain' | 'loss' | '' {
  if (share === null || most === 0 || Math.abs(share) < COLOURED_FROM * most) return '';
  return share > 0 ? 'gain' : 'loss';
}
