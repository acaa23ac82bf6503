import { afterEach, describe, expect, it, vi } from 'vitest';
import * as api from '../src/api/client';
import type { Evaluation } from '../src/api/schema/models';
import { HORIZONS, isWithinSession } from '../src/api/schema/vocabulary';
import { caveatSentence } from '../src/i18n/caveats';
import { getDictionary } from '../src/i18n/dictionary';
import { explanationWords } from '../src/i18n/explanation_words';
import { proofWords } from '../src/i18n/proof_words';
import { commandsFor } from '../src/routes/symbol/absence';
import { isExpired } from '../src/routes/symbol/validity';

const LANGUAGES = ['tr', 'en'] as const;

describe('a horizon', () => {
  it('within a session is an hour or the rest of the day', () => {
    expect(HORIZONS.filter(isWithinSession)).toEqual(['1h', 'eod']);
  });
  it('has words of its own in either language', () => {
    for (const language of LANGUAGES) {
      for (const words of [getDictionary(language).signal.ahead, explanationWords(language).horizons]) {
        expect(new Set(HORIZONS.map((horizon) => words[horizon] ?? 'missing')).size, language).toBe(HORIZONS.length);
      }
    }
  });
});

describe('what is measured in bars', () => {
  it('is told in hours where the bars are', () => {
    const { gains, outlook } = proofWords('en');
    expect(gains.volatility(true).above).toContain('20 hours');
    expect(gains.volatility(false).above).toContain('20 sessions');
    expect(outlook.prices('1%', '1%', true)).toContain('next hour');
    expect(outlook.prices('1%', '1%', false)).toContain('next session');
  });
  it('is bought at the open of the next hour or session', () => {
    const caveat = { code: 'fills_assumed', text: '' };
    const evaluation = (horizon: string): Evaluation => ({ horizon }) as Evaluation;
    expect(caveatSentence('tr', caveat, evaluation('1h'))).toContain('sonraki saatin açılış');
    expect(caveatSentence('tr', caveat, evaluation('5'))).toContain('sonraki seansın açılış');
  });
});

describe('a signal', () => {
  const NOON = new Date('2026-11-20T09:00:00Z');
  it('of sessions ends with its last day', () => {
    expect(isExpired({ valid_until: '2026-11-20' }, NOON)).toBe(false);
    expect(isExpired({ valid_until: '2026-11-19' }, NOON)).toBe(true);
    expect(isExpired({ valid_until: null }, NOON)).toBe(false);
  });
  it('within a session ends at its time in Istanbul', () => {
    expect(isExpired({ valid_until: '2026-11-20', valid_until_time: '12:01' }, NOON)).toBe(false);
    expect(isExpired({ valid_until: '2026-11-20', valid_until_time: '12:00' }, NOON)).toBe(true);
    expect(isExpired({ valid_until: '2026-11-23', valid_until_time: '10:00' }, NOON)).toBe(false);
  });
});

describe('where there is no signal', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** What the page is told when these symbols have a signal of the horizon and there are so many models of it. */
  async function told(symbols: string[], modelsCount: number): Promise<unknown> {
    vi.stubGlobal('fetch', (url: string) => {
      const query = new URL(url, 'http://x').searchParams;
      expect(query.get('horizon')).toBe('1h');
      const items = url.includes('/models?') ? Array.from({ length: modelsCount }, () => ({})) : symbols.filter((one) => one === (query.get('symbol') ?? one));
      return Promise.resolve(new Response(JSON.stringify({ items, next: null })));
    });
    return api.latestSignal('THYAO', '1h');
  }
  it('the page tells whether model, signals, or bars of the symbol are missing', async () => {
    expect(await told(['THYAO'], 1)).toBe('THYAO');
    expect(await told(['SISE'], 1)).toBe('not_of_symbol');
    expect(await told([], 1)).toBe('not_made');
    expect(await told([], 0)).toBe('no_model');
  });
  it('it says what to type', () => {
    expect(commandsFor('no_model', '5')).toEqual(['bist train', 'bist signals']);
    expect(commandsFor('no_model', 'eod')).toEqual(['bist ingest csv DIR', 'bist train --interval 60m', 'bist signals --horizon eod']);
    expect(commandsFor('not_made', '1h')).toEqual(['bist signals --horizon 1h']);
    expect(commandsFor('not_of_symbol', '20')).toEqual(['bist ingest csv DIR', 'bist signals']);
  });
});
