import type { Layers } from '../../charts/candles';

/** Sessions in each range; the exchange holds about 250 a year. */
export const RANGES = { m3: 63, m6: 126, y1: 252, y3: 756, all: null } as const;
export type Range = keyof typeof RANGES;

const NARROW_PX = 640;

/** How the reader looks at charts; it stays when the symbol changes. */
class ChartView {
  range = $state<Range>(innerWidth < NARROW_PX ? 'm3' : 'm6');
  layers = $state.raw<Layers>({ ema: true, rsi: false, band: true });
  adjusted = $state(true);

  toggle(layer: keyof Layers): void {
    this.layers = { ...this.layers, [layer]: !this.layers[layer] };
  }
}

export const view = new ChartView();
