import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CREDITS } from '../src/routes/about/credits';

const WEB = new URL('..', import.meta.url).pathname;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : [path];
  });
}

describe('what is delivered', () => {
  it('has no style attribute, which the content security policy forbids', () => {
    const files = [...sources(join(WEB, 'src')), join(WEB, 'index.html'), join(WEB, 'public/api-docs/index.html')];
    for (const file of files.filter((name) => /\.(svelte|html)$/.test(name))) {
      const markup = readFileSync(file, 'utf8').replace(/<style>[\s\S]*<\/style>/, '');
      expect(markup, file).not.toMatch(/\sstyle=/);
      expect(markup, file).not.toMatch(/\son\w+="/);
    }
  });
  it('shows texts as texts: nothing that others wrote becomes markup or code', () => {
    const sinks = /\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function\(/;
    for (const file of sources(join(WEB, 'src'))) expect(readFileSync(file, 'utf8'), file).not.toMatch(sinks);
  });
  it('keeps nothing of a session in the browser: only the settings have a storage', () => {
    const storages = /localStorage|sessionStorage|indexedDB|document\.cookie/;
    const holding = sources(join(WEB, 'src')).filter((file) => storages.test(readFileSync(file, 'utf8')));
    expect(holding).toEqual([join(WEB, 'src/settings.svelte.ts')]);
  });
  it('credits the versions that are installed', () => {
    const manifest = JSON.parse(readFileSync(join(WEB, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
    const pinned = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const credit of CREDITS) expect(credit.version, credit.npm).toBe(pinned[credit.npm]);
    for (const name of Object.keys(manifest.dependencies ?? {})) expect(CREDITS.map((credit) => credit.npm)).toContain(name);
  });
  it('names no registry in the lock file', () => {
    expect(readFileSync(join(WEB, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });
  it('draws no logo of the chart library, which would bring a style element, and links to its maker instead', () => {
    expect(readFileSync(join(WEB, 'src/charts/candles.ts'), 'utf8')).toContain('attributionLogo: false');
    expect(readFileSync(join(WEB, 'src/routes/symbol/PriceChart.svelte'), 'utf8')).toContain('href="https://www.tradingview.com/"');
  });
});
