import type {
  CustomData,
  CustomSeriesOptions,
  CustomSeriesPricePlotValues,
  CustomSeriesWhitespaceData,
  ICustomSeriesPaneRenderer,
  ICustomSeriesPaneView,
  PaneRendererCustomData,
  PriceToCoordinateConverter,
  Time,
} from 'lightweight-charts';
import { customSeriesDefaultOptions } from 'lightweight-charts';

type DrawingTarget = Parameters<ICustomSeriesPaneRenderer['draw']>[0];

/** Where the forecast stands at a time: the median and, widest first, the bands around it. */
export interface BandPoint extends CustomData<Time> {
  median: number;
  bands: { low: number; high: number }[];
}

export interface BandOptions extends CustomSeriesOptions {
  medianColor: string;
  fillColor: string;
}

/** How strongly a band is filled; the bands lie over one another, so the inner one is the darkest. */
const FILL_ALPHA = 0.2;
const MEDIAN_WIDTH = 2;
const DASH = [6, 4];
/** A point that stands alone is a box that begins where its column does, as wide but never thinner than this. */
const BOX_WIDTH_MIN = 10;

class BandRenderer implements ICustomSeriesPaneRenderer {
  #data: PaneRendererCustomData<Time, BandPoint> | null = null;
  #options: BandOptions | null = null;

  update(data: PaneRendererCustomData<Time, BandPoint>, options: BandOptions): void {
    this.#data = data;
    this.#options = options;
  }

  draw(target: DrawingTarget, toY: PriceToCoordinateConverter): void {
    const data = this.#data;
    const options = this.#options;
    if (data === null || options === null || data.bars.length === 0) return;
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      const isAlone = data.bars.length === 1;
      const edges = isAlone ? [-data.barSpacing / 2, Math.max(data.barSpacing, BOX_WIDTH_MIN) - data.barSpacing / 2] : [0];
      const points = data.bars.flatMap((bar) => edges.map((edge) => ({ x: (bar.x + edge) * horizontalPixelRatio, point: bar.originalData })));
      const y = (value: number): number => (toY(value) ?? 0) * verticalPixelRatio;
      context.save();
      context.fillStyle = options.fillColor;
      context.globalAlpha = FILL_ALPHA;
      const bandsCount = Math.max(...points.map(({ point }) => point.bands.length));
      for (let level = 0; level < bandsCount; level += 1) {
        context.beginPath();
        for (const { x, point } of points) context.lineTo(x, y(point.bands[level]?.high ?? point.median));
        for (const { x, point } of points.toReversed()) context.lineTo(x, y(point.bands[level]?.low ?? point.median));
        context.closePath();
        context.fill();
      }
      context.globalAlpha = 1;
      context.strokeStyle = options.medianColor;
      context.lineWidth = MEDIAN_WIDTH * verticalPixelRatio;
      if (!isAlone) context.setLineDash(DASH.map((length) => length * horizontalPixelRatio));
      context.beginPath();
      for (const { x, point } of points) context.lineTo(x, y(point.median));
      context.stroke();
      context.restore();
    });
  }
}

/** The forecast as a series of the chart: dashed median inside nested bands. */
export class ForecastBand implements ICustomSeriesPaneView<Time, BandPoint, BandOptions> {
  #renderer = new BandRenderer();

  renderer(): ICustomSeriesPaneRenderer {
    return this.#renderer;
  }

  update(data: PaneRendererCustomData<Time, BandPoint>, options: BandOptions): void {
    this.#renderer.update(data, options);
  }

  priceValueBuilder(point: BandPoint): CustomSeriesPricePlotValues {
    return [...point.bands.flatMap((band) => [band.low, band.high]), point.median];
  }

  isWhitespace(data: BandPoint | CustomSeriesWhitespaceData<Time>): data is CustomSeriesWhitespaceData<Time> {
    return (data as Partial<BandPoint>).median === undefined;
  }

  defaultOptions(): BandOptions {
    return { ...customSeriesDefaultOptions, medianColor: '#79b0ff', fillColor: '#79b0ff' };
  }
}
