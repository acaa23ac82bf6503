/**
 * Exponential moving average with the smoothing 2 / (n + 1), seeded with the mean of the first n
 * values as TA-Lib does; null until then.
 */
export function ema(values: number[], length: number): (number | null)[] {
  const out: (number | null)[] = new Array<number | null>(values.length).fill(null);
  if (length < 1 || values.length < length) return out;
  let average = 0;
  for (let i = 0; i < length; i += 1) average += (values[i] ?? 0) / length;
  out[length - 1] = average;
  const weight = 2 / (length + 1);
  for (let i = length; i < values.length; i += 1) {
    average += weight * ((values[i] ?? 0) - average);
    out[i] = average;
  }
  return out;
}

/** Wilder's relative strength index; null until `length` changes are known. */
export function rsi(values: number[], length: number): (number | null)[] {
  const out: (number | null)[] = new Array<number | null>(values.length).fill(null);
  if (length < 1 || values.length <= length) return out;
  let gain = 0;
  let loss = 0;
  for (let i = 1; i < values.length; i += 1) {
    const change = (values[i] ?? 0) - (values[i - 1] ?? 0);
    const up = Math.max(change, 0);
    const down = Math.max(-change, 0);
    if (i <= length) {
      gain += up / length;
      loss += down / length;
    } else {
      gain += (up - gain) / length;
      loss += (down - loss) / length;
    }
    if (i >= length) out[i] = gain + loss === 0 ? 50 : (100 * gain) / (gain + loss);
  }
  return out;
}
