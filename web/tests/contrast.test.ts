import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const CSS = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');

/** The declarations of the first block with exactly this selector. */
function tokens(selector: string): Record<string, string> {
  const start = CSS.indexOf(`\n${selector} {`);
  if (start < 0) throw new Error(`tokens.css has no block for ${selector}`);
  const block = CSS.slice(CSS.indexOf('{', start) + 1, CSS.indexOf('}', start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

const DARK = tokens("[data-theme='dark']");
const LIGHT = tokens("[data-theme='light']");
const THEMES: Record<string, Record<string, string>> = {
  dark: DARK,
  light: LIGHT,
  'dark, colour-blind': { ...DARK, ...tokens("[data-theme='dark'][data-palette='cvd']") },
  'light, colour-blind': { ...LIGHT, ...tokens("[data-theme='light'][data-palette='cvd']") },
};

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(colour: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** `color-mix(in srgb, ink share, ground)`. */
function mixed(ink: string, share: number, ground: string): string {
  const channel = (at: number): string =>
    Math.round(share * Number.parseInt(ink.slice(at, at + 2), 16) + (1 - share) * Number.parseInt(ground.slice(at, at + 2), 16))
      .toString(16)
      .padStart(2, '0');
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

const TEXT_MIN = 4.5;
const CONTROL_MIN = 3;
const SURFACES = ['bg', 'surface', 'surface2'];
const TEXT_PAIRS: [string, string][] = [
  ...['text', 'muted', 'accent', 'up', 'down', 'warn'].flatMap((ink): [string, string][] => SURFACES.map((surface) => [ink, surface])),
  ...['accent', 'up', 'down', 'warn'].map((ink): [string, string] => [ink, `${ink}-bg`]),
  ...['accent-bg', 'up-bg'].map((surface): [string, string] => ['text', surface]),
  // Rows that are chosen: change and signal, or refused requests and errors, on the accent background.
  ...['up', 'down', 'muted', 'warn'].map((ink): [string, string] => [ink, 'accent-bg']),
  ['ema-fast', 'surface'],
  ['ema-slow', 'surface'],
  ['on-accent', 'accent'],
  ['on-accent', 'up'],
  ['on-accent', 'down'],
];

describe.each(Object.entries(THEMES))('theme %s', (_, theme) => {
  const colour = (name: string): string => {
    const found = theme[name];
    if (found === undefined) throw new Error(`no token --${name}`);
    return found;
  };
  it.each(TEXT_PAIRS)('%s on %s can be read', (ink, surface) => {
    expect(contrast(colour(ink), colour(surface))).toBeGreaterThanOrEqual(TEXT_MIN);
  });
  it.each(['down', 'warn', 'accent'])('the text of a count can be read on every shade of %s', (heat) => {
    for (const share of [0.1, 0.24, 0.4]) {
      expect(contrast(colour('text'), mixed(colour(heat), share, colour('surface')))).toBeGreaterThanOrEqual(TEXT_MIN);
    }
  });
  it.each(SURFACES)('the outline of a control stands out from %s', (surface) => {
    expect(contrast(colour('control'), colour(surface))).toBeGreaterThanOrEqual(CONTROL_MIN);
  });
});

it('the computation agrees with known values', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});
