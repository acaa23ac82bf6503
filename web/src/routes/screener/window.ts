/** The height of a row, which the style of tables gives. */
export const ROW_PX = 36;
/** From so many rows on only those in sight are in the document. */
export const WINDOWED_FROM = 200;
/** Rows kept beyond either edge. */
const SPARE = 10;

/** The rows in sight, from `first` up to and without `end`. */
export interface RowWindow {
  first: number;
  end: number;
}

/** Which of `count` rows are in a box of `height` that was scrolled by `top`; all of few. */
export function rowWindow(count: number, top: number, height: number): RowWindow {
  if (count < WINDOWED_FROM) return { first: 0, end: count };
  const first = Math.max(0, Math.min(count, Math.floor(top / ROW_PX)) - SPARE);
  return { first, end: Math.min(count, Math.ceil((top + height) / ROW_PX) + SPARE) };
}
