import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { EXCHANGE_ZONE } from '../i18n/format';
import { faded, type ChartColours } from './colours';

/** A line of a chart; null in `values` is a gap. */
export interface Line {
  label: string;
  values: (number | null)[];
  colour: 'accent' | 'up' | 'down' | 'muted' | 'emaFast' | 'emaSlow';
  dashed?: boolean;
  filled?: boolean;
}

export interface TimeSeriesLook {
  width: number;
  height: number;
  colours: ChartColours;
  /** A moment on the axis below, whose marks are so many seconds apart. */
  tick: (at: Date, apart_s: number) => string;
  /** A value on the axis beside. */
  value: (value: number) => string;
  /** Hears which point is pointed at; null for none. */
  pointed: (index: number | null) => void;
  /** Whether the axis beside begins at zero. */
  fromZero: boolean;
}

const FONT = '11px "Inter Variable", system-ui, sans-serif';
const DASH = [5, 4];
/** Room above the highest value, as a share of it. */
const HEADROOM = 1.08;
/** Pixels of a character of an axis, and beside its longest label. */
const CHARACTER_PX = 6.5;
const BESIDE_PX = 16;
const TICKS_APART_PX = { x: 74, y: 32 };
const BELOW_PX = 26;

const data = (times: number[], lines: Line[]): uPlot.AlignedData => [times, ...lines.map(({ values }) => values)];

function seriesOf(line: Line, colours: ChartColours): uPlot.Series {
  const stroke = colours[line.colour];
  return {
    label: line.label,
    stroke,
    width: line.dashed ? 1.5 : 2,
    ...(line.dashed ? { dash: DASH } : {}),
    ...(line.filled ? { fill: faded(stroke, 0.14) } : {}),
    points: { show: false },
  };
}

/** The lowest and the highest amount of an axis whose lines lie between `low` and `high`. */
export function rangeOf(low: number, high: number, fromZero: boolean): [number, number] {
  if (fromZero) return [0, high > 0 ? high * HEADROOM : 1];
  // A line that is flat lies in the middle.
  const room = (high - low) * (HEADROOM - 1) || Math.max(Math.abs(high) * (HEADROOM - 1), 1);
  return [low - room, high + room];
}

/** A chart of lines over time. `times` are seconds since 1970. */
export class TimeSeriesChart {
  readonly #plot: uPlot;
  readonly #height: number;

  constructor(host: HTMLElement, times: number[], lines: Line[], look: TimeSeriesLook) {
    const { colours } = look;
    const axis: uPlot.Axis = {
      stroke: colours.muted,
      font: FONT,
      grid: { stroke: faded(colours.line, 0.7), width: 1 },
      ticks: { show: false },
    };
    this.#height = look.height;
    this.#plot = new uPlot(
      {
        width: look.width,
        height: look.height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), EXCHANGE_ZONE),
        scales: { x: { time: true }, y: { range: (_, low, high) => rangeOf(low, high, look.fromZero) } },
        axes: [
          { ...axis, space: TICKS_APART_PX.x, size: BELOW_PX, values: (_, splits, __, ___, apart) => splits.map((at) => look.tick(new Date(at * 1000), apart)) },
          {
            ...axis,
            space: TICKS_APART_PX.y,
            values: (_, splits) => splits.map(look.value),
            size: (_, values) => Math.max(0, ...(values ?? []).map((text) => text.length)) * CHARACTER_PX + BESIDE_PX,
          },
        ],
        series: [{}, ...lines.map((line) => seriesOf(line, colours))],
        hooks: { setCursor: [(plot) => look.pointed(plot.cursor.idx ?? null)] },
      },
      data(times, lines),
      host,
    );
  }

  show(times: number[], lines: Line[]): void {
    this.#plot.setData(data(times, lines));
  }

  resize(width: number): void {
    this.#plot.setSize({ width, height: this.#height });
  }

  /** Points at a point, as a pointer would. */
  point(index: number): void {
    const at = this.#plot.data[0][index];
    if (at !== undefined) this.#plot.setCursor({ left: this.#plot.valToPos(at, 'x'), top: 0 });
  }

  destroy(): void {
    this.#plot.destroy();
  }
}
