/** The tokens that the canvas draws with. */
export interface ChartColours {
  surface: string;
  text: string;
  muted: string;
  line: string;
  accent: string;
  onAccent: string;
  up: string;
  down: string;
  emaFast: string;
  emaSlow: string;
}

const TOKENS: Record<keyof ChartColours, string> = {
  surface: '--surface',
  text: '--text',
  muted: '--muted',
  line: '--line',
  accent: '--accent',
  onAccent: '--on-accent',
  up: '--up',
  down: '--down',
  emaFast: '--ema-fast',
  emaSlow: '--ema-slow',
};

/** Reads the tokens as the browser resolves them, so that forced colours reach the canvas too. */
export function readColours(within: HTMLElement): ChartColours {
  const probe = document.createElement('span');
  within.append(probe);
  const colours = Object.fromEntries(
    Object.entries(TOKENS).map(([name, token]) => {
      probe.style.color = `var(${token})`;
      return [name, getComputedStyle(probe).color];
    }),
  ) as unknown as ChartColours;
  probe.remove();
  return colours;
}

/** The colour with less weight, for volume and grid; takes the `rgb(...)` that browsers resolve to. */
export function faded(colour: string, alpha: number): string {
  const parts = /^rgba?\(([^)]+)\)$/.exec(colour)?.[1]?.split(/[\s,/]+/).slice(0, 3);
  return parts === undefined ? colour : `rgba(${parts.join(', ')}, ${alpha})`;
}
