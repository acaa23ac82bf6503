import {
  CandlestickSeries,
  createChart,
  createTextWatermark,
  CrosshairMode,
  type DeepPartial,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ITextWatermarkPluginApi,
  LineSeries,
  LineStyle,
  type MouseEventParams,
  type SeriesOptionsCommon,
  TickMarkType,
  type Time,
  type WhitespaceData,
} from 'lightweight-charts';
import { type ChartColours, faded } from './colours';
import { type BandOptions, type BandPoint, ForecastBand } from './forecast_band';
import { ema, rsi } from './indicators';
import type { Candle } from './prices';

export const EMA_FAST = 20;
export const EMA_SLOW = 50;
export const RSI_LENGTH = 14;
const RSI_LEVELS = [30, 70];
/** Room to the right of the forecast, as a share of what is shown; the names of the levels need more. */
const MARGIN_SHARE = 0.03;
const MARGIN_WITH_LEVELS_SHARE = 0.11;
const VOLUME_TOP = 0.82;
const ZOOM_FACTOR = 1.25;
const SCROLL_BARS = 10;
/** The RSI pane takes one part, the prices the rest. */
const PRICE_STRETCH = 5;

type BandSeries = ISeriesApi<
  'Custom',
  Time,
  BandPoint | WhitespaceData<Time>,
  BandOptions,
  DeepPartial<BandOptions & SeriesOptionsCommon>
>;

export interface Layers {
  ema: boolean;
  rsi: boolean;
  band: boolean;
}

export interface Level {
  price: number;
  title: string;
  side: 'up' | 'down';
}

export interface ChartWords {
  price: (value: number) => string;
  day: (day: string) => string;
  month: (day: string) => string;
  rsi: (value: number) => string;
  watermark: string | null;
}

function dayOf(time: Time): string {
  return time as string;
}

/** The price chart of one symbol. Colours, language and layers change in place: the zoom stays. */
export class CandleChart {
  readonly #chart: IChartApi;
  readonly #candles: ISeriesApi<'Candlestick'>;
  readonly #volume: ISeriesApi<'Histogram'>;
  readonly #fast: ISeriesApi<'Line'>;
  readonly #slow: ISeriesApi<'Line'>;
  readonly #band: BandSeries;
  #rsi: ISeriesApi<'Line'> | null = null;
  #watermark: ITextWatermarkPluginApi<Time> | null = null;
  #lines: IPriceLine[] = [];
  #levels: Level[] = [];
  #rows: Candle[] = [];
  #points: BandPoint[] = [];
  #layers: Layers = { ema: true, rsi: false, band: true };
  #colours: ChartColours;
  #words: ChartWords;

  constructor(container: HTMLElement, colours: ChartColours, words: ChartWords) {
    this.#colours = colours;
    this.#words = words;
    this.#chart = createChart(container, {
      autoSize: true,
      // The logo brings a <style> element, which the policy forbids; the credit is a link below the chart.
      layout: { attributionLogo: false, fontFamily: getComputedStyle(container).fontFamily, fontSize: 12 },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { scaleMargins: { top: 0.1, bottom: 1 - VOLUME_TOP + 0.02 } },
      timeScale: { minBarSpacing: 0.2 },
      handleScroll: { vertTouchDrag: false },
    });
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#chart.priceScale('volume').applyOptions({ scaleMargins: { top: VOLUME_TOP, bottom: 0 } });
    this.#band = this.#chart.addCustomSeries<BandPoint, BandOptions>(new ForecastBand(), {
      lastValueVisible: false,
      priceLineVisible: false,
    });
    const line = { lineWidth: 2, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false } as const;
    this.#slow = this.#chart.addSeries(LineSeries, line);
    this.#fast = this.#chart.addSeries(LineSeries, line);
    this.#candles = this.#chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.setWords(words);
    this.setColours(colours);
  }

  remove(): void {
    this.#chart.remove();
  }

  setWords(words: ChartWords): void {
    this.#words = words;
    this.#chart.applyOptions({
      localization: { priceFormatter: words.price, timeFormatter: (time: Time) => words.day(dayOf(time)) },
      timeScale: {
        tickMarkFormatter: (time: Time, kind: TickMarkType) => {
          const day = dayOf(time);
          if (kind === TickMarkType.Year) return day.slice(0, 4);
          return kind === TickMarkType.Month ? words.month(day) : String(Number(day.slice(8)));
        },
      },
    });
    this.#rsi?.applyOptions({ priceFormat: { type: 'custom', formatter: words.rsi, minMove: 0.01 } });
    this.#drawWatermark();
  }

  setColours(colours: ChartColours): void {
    this.#colours = colours;
    const grid = { color: faded(colours.line, 0.55) };
    this.#chart.applyOptions({
      layout: {
        background: { color: colours.surface },
        textColor: colours.muted,
        panes: { separatorColor: colours.line, separatorHoverColor: faded(colours.accent, 0.3) },
      },
      grid: { vertLines: grid, horzLines: grid },
      rightPriceScale: { borderColor: colours.line },
      timeScale: { borderColor: colours.line },
      crosshair: {
        vertLine: { color: colours.muted, labelBackgroundColor: colours.text },
        horzLine: { color: colours.muted, labelBackgroundColor: colours.text },
      },
    });
    this.#candles.applyOptions({
      upColor: colours.up,
      downColor: colours.down,
      wickUpColor: colours.up,
      wickDownColor: colours.down,
      priceLineColor: colours.text,
    });
    this.#fast.applyOptions({ color: colours.emaFast });
    this.#slow.applyOptions({ color: colours.emaSlow });
    this.#band.applyOptions({ medianColor: colours.accent, fillColor: colours.accent });
    this.#rsi?.applyOptions({ color: colours.emaSlow });
    this.#drawVolume();
    this.#drawLevels();
    this.#drawWatermark();
  }

  setCandles(rows: Candle[]): void {
    this.#rows = rows;
    this.#candles.setData(
      rows.map(({ day, open, high, low, close }) => ({ time: day, open, high, low, close })),
    );
    this.#drawVolume();
    this.#drawAverages();
    this.#drawRsi();
  }

  setForecast(points: BandPoint[]): void {
    this.#points = points;
    this.#band.setData(this.#layers.band ? points : []);
  }

  setLevels(levels: Level[]): void {
    this.#levels = levels;
    this.#drawLevels();
  }

  setLayers(layers: Layers): void {
    this.#layers = layers;
    this.#fast.applyOptions({ visible: layers.ema });
    this.#slow.applyOptions({ visible: layers.ema });
    this.setForecast(this.#points);
    if (layers.rsi && this.#rsi === null) {
      this.#rsi = this.#chart.addSeries(
        LineSeries,
        {
          color: this.#colours.emaSlow,
          lineWidth: 1,
          priceLineVisible: false,
          title: `RSI ${RSI_LENGTH}`,
          priceFormat: { type: 'custom', formatter: this.#words.rsi, minMove: 0.01 },
        },
        1,
      );
      for (const price of RSI_LEVELS) {
        this.#rsi.createPriceLine({
          price,
          color: this.#colours.muted,
          lineStyle: LineStyle.Dotted,
          lineWidth: 1,
          axisLabelVisible: false,
        });
      }
      const [prices, strength] = this.#chart.panes();
      prices?.setStretchFactor(PRICE_STRETCH);
      strength?.setStretchFactor(1);
      this.#drawRsi();
    } else if (!layers.rsi && this.#rsi !== null) {
      this.#chart.removeSeries(this.#rsi);
      this.#rsi = null;
    }
  }

  /** Shows the newest `count` sessions and the forecast; all of them when `count` is null. */
  showLast(count: number | null): void {
    const newest = this.#rows.at(-1)?.day ?? '';
    const last = this.#rows.length - 1 + this.#points.filter((point) => dayOf(point.time) > newest).length;
    const from = count === null ? 0 : Math.max(0, this.#rows.length - count);
    const margin = (last - from) * (this.#levels.length > 0 ? MARGIN_WITH_LEVELS_SHARE : MARGIN_SHARE);
    this.#chart.timeScale().setVisibleLogicalRange({ from: from - 0.5, to: last + 1 + margin });
  }

  /** Moves by whole bars; a negative number goes back in time. */
  scroll(direction: 1 | -1): void {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (range === null) return;
    const shift = direction * SCROLL_BARS;
    this.#chart.timeScale().setVisibleLogicalRange({ from: range.from + shift, to: range.to + shift });
  }

  /** Zooms around the right edge, where the forecast is. */
  zoom(direction: 1 | -1): void {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (range === null) return;
    const width = (range.to - range.from) * (direction === 1 ? 1 / ZOOM_FACTOR : ZOOM_FACTOR);
    this.#chart.timeScale().setVisibleLogicalRange({ from: range.to - width, to: range.to });
  }

  /** Tells the day under the pointer; null when it left the chart. */
  onHover(tell: (day: string | null) => void): void {
    this.#chart.subscribeCrosshairMove((event: MouseEventParams<Time>) => {
      tell(event.time === undefined ? null : dayOf(event.time));
    });
  }

  #drawVolume(): void {
    this.#volume.setData(
      this.#rows.map(({ day, open, close, volume }) =>
        volume === null
          ? { time: day }
          : { time: day, value: volume, color: faded(close >= open ? this.#colours.up : this.#colours.down, 0.28) },
      ),
    );
  }

  #drawAverages(): void {
    const closes = this.#rows.map((row) => row.close);
    for (const [series, length] of [
      [this.#fast, EMA_FAST],
      [this.#slow, EMA_SLOW],
    ] as const) {
      series.setData(this.#line(ema(closes, length)));
    }
  }

  #drawRsi(): void {
    this.#rsi?.setData(
      this.#line(
        rsi(
          this.#rows.map((row) => row.close),
          RSI_LENGTH,
        ),
      ),
    );
  }

  #line(values: (number | null)[]): ({ time: string } | { time: string; value: number })[] {
    return this.#rows.map(({ day }, i) => {
      const value = values[i];
      return value === null || value === undefined ? { time: day } : { time: day, value };
    });
  }

  #drawLevels(): void {
    for (const line of this.#lines) this.#candles.removePriceLine(line);
    this.#lines = this.#levels.map(({ price, title, side }) =>
      this.#candles.createPriceLine({
        price,
        title,
        color: side === 'up' ? this.#colours.up : this.#colours.down,
        // The default, white, is hard to read on the light green and pink of the dark theme.
        axisLabelTextColor: this.#colours.onAccent,
        lineStyle: LineStyle.Dashed,
        lineWidth: 1,
      }),
    );
  }

  #drawWatermark(): void {
    const pane = this.#chart.panes()[0];
    if (pane === undefined) return;
    const text = this.#words.watermark;
    const lines = text === null ? [] : [{ text, color: faded(this.#colours.muted, 0.14), fontSize: 48, fontStyle: 'bold' }];
    if (this.#watermark === null) this.#watermark = createTextWatermark(pane, { horzAlign: 'center', vertAlign: 'center', lines });
    else this.#watermark.applyOptions({ lines });
  }
}
