/** An axis from its lower end to its upper, straight or by orders of magnitude. */
export interface Axis {
  low: number;
  high: number;
  log: boolean;
  ticks: number[];
}

/** Distances between ticks, within a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10];
/** Room at either end of what is shown, as a share of it. */
const MARGIN = 0.04;

/** Round numbers from `low` to `high`, at most `most` of them and at least the one nearest to the middle. */
export function roundTicks(low: number, high: number, most: number, isWhole = false): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / most));
  const steps = [...STEPS.map((step) => step * power), ...STEPS.map((step) => step * power * 10)];
  const within = (step: number): number[] => {
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    // Twelve digits undo what the product of a step adds (3 * 0.1).
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  };
  const fitting = steps.filter((step) => !isWhole || Number.isInteger(step)).map(within).find((ticks) => ticks.length <= most);
  return fitting === undefined || fitting.length === 0 ? [Number(((low + high) / 2).toPrecision(3))] : fitting;
}

/** Powers of ten from `low` to `high`; where fewer than two lie between them, the ends. */
function powerTicks(low: number, high: number, most: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return low === high ? [low] : [low, high];
  const stride = Math.ceil((last - first + 1) / most);
  const ticks: number[] = [];
  for (let power = first; power <= last; power += stride) ticks.push(Number(`1e${power}`));
  return ticks;
}

/** The axis of a range that is given: nothing is added at its ends. */
export function axisOf(low: number, high: number, log: boolean, ticksMax: number, isWhole = false): Axis {
  const ticks = log && low > 0 ? powerTicks(low, high, ticksMax) : roundTicks(low, high, ticksMax, isWhole);
  return { low, high, log: log && low > 0, ticks };
}

/**
 * An axis on which most of `values` can be read, with room at its ends.
 *
 * A few that lie far outside would press the others into a line. The fences are Tukey's outer ones,
 * three times the interquartile range beyond the quartiles; what lies beyond is drawn at the edge.
 * Without a value there is nothing to write on the axis.
 */
export function valueAxis(values: number[], ticksMax: number): Axis {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return { low: 0, high: 1, log: false, ticks: [] };
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const reach = 3 * (at(0.75) - at(0.25));
  const fenced = (value: number): number => (reach === 0 ? value : Math.min(at(0.75) + reach, Math.max(at(0.25) - reach, value)));
  const [low, high] = [fenced(at(0)), fenced(at(1))];
  const margin = high > low ? MARGIN * (high - low) : Math.max(Math.abs(low) * MARGIN, 1e-9);
  return axisOf(low - margin, high + margin, false, ticksMax);
}

/** Decimals with which all ticks of an axis can be told apart, the same for each. */
export function tickDigits({ ticks }: Axis): number {
  const decimals = (tick: number): number => {
    const [digits = '', power = '0'] = Math.abs(tick).toString().split('e');
    return Math.max(0, (digits.split('.')[1] ?? '').length - Number(power));
  };
  return Math.min(12, Math.max(0, ...ticks.map(decimals)));
}

/** The axis of a category: choice 0, 1, ... each in the middle of its part. */
export function choiceAxis(count: number): Axis {
  return { low: -0.5, high: Math.max(1, count) - 0.5, log: false, ticks: Array.from({ length: count }, (_, index) => index) };
}

/** Where a value stands between the ends, 0..1; below or above for one that lies outside. */
export function shareOf(axis: Axis, value: number): number {
  if (axis.high === axis.low) return 0.5;
  if (!axis.log) return (value - axis.low) / (axis.high - axis.low);
  return value > 0 ? Math.log(value / axis.low) / Math.log(axis.high / axis.low) : 0;
}

/** The value that stands there: the inverse of {@link shareOf}. */
export function valueAt(axis: Axis, share: number): number {
  return axis.log ? axis.low * (axis.high / axis.low) ** share : axis.low + share * (axis.high - axis.low);
}
