import { afterEach, describe, expect, it, vi } from 'vitest';
import * as api from '../src/api/client';
import { METRICS, type ModelDifference } from '../src/api/schema/model_difference';
import type { ModelSummary } from '../src/api/schema/models';
import { MODEL_STATES, type ModelState, type StateChange } from '../src/api/schema/registry';
import type { Horizon } from '../src/api/schema/vocabulary';
import { getDictionary } from '../src/i18n/dictionary';
import { reasonText, registryWords } from '../src/i18n/registry_words';
import { modelPath, parseRoute, withChoices } from '../src/routes';
import { filterOf, registryPath } from '../src/routes/models/registry_filter';
import { isCommand, steps } from '../src/routes/models/standing';
import { cautions, comparable, drawn, fieldText, usualOther } from '../src/routes/models/version_comparison';

afterEach(() => vi.unstubAllGlobals());

describe('the choices of the registry', () => {
  it('survive the way to the address and back', () => {
    for (const filter of [
      { horizon: null, state: null },
      { horizon: '5', state: null },
      { horizon: 'eod', state: 'retired' },
    ] as const) {
      expect(filterOf(new URL(registryPath(filter), 'http://x').search)).toEqual(filter);
    }
    expect(registryPath({ horizon: null, state: null })).toBe('/models');
  });
  it('that nobody offers are none', () => {
    expect(filterOf('?horizon=7&state=%3Cb%3E&other=1')).toEqual({ horizon: null, state: null });
  });
  it('leave the page as it is', () => {
    const path = withChoices(modelPath('gbdt-1'), { against: 'gbdt-2&x' });
    expect(path).toBe('/models/gbdt-1?against=gbdt-2%26x');
    expect(parseRoute(new URL(path, 'http://x').pathname)).toEqual({ name: 'models', version: 'gbdt-1' });
  });
  it('have names in both languages', () => {
    for (const language of ['tr', 'en'] as const) {
      for (const state of MODEL_STATES) expect(getDictionary(language).models.states[state], state).toBeTruthy();
      for (const metric of METRICS) expect(registryWords(language).comparison.metrics[metric], metric).toBeTruthy();
    }
  });
});

describe('the newest versions', () => {
  const serve = (all: number): string[] => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (url: string) => {
      asked.push(url);
      const query = new URL(url, 'http://x').searchParams;
      const from = Number(query.get('cursor')?.slice('from-'.length) ?? 0);
      const to = Math.min(all, from + Number(query.get('limit')));
      const items = Array.from({ length: to - from }, (_, index) => ({ version: `v${from + index}` }));
      return Promise.resolve(new Response(JSON.stringify({ items, next: to < all ? `from-${to}` : null })));
    });
    return asked;
  };
  it('are as many as wanted, and it is told whether there are more', async () => {
    const asked = serve(70);
    const page = await api.newestModels({ horizon: '5', state: 'champion' }, 50);
    expect([page.items.length, page.next]).toEqual([50, 'from-50']);
    expect(asked).toEqual(['/api/v1/models?horizon=5&state=champion&limit=50']);
    expect((await api.newestModels({ horizon: null, state: null }, 100)).next).toBeNull();
  });
  it('of more than a page come page by page', async () => {
    const asked = serve(1500);
    const page = await api.newestModels({ horizon: null, state: null }, 1200);
    expect([page.items.length, page.items.at(-1)?.version, page.next]).toEqual([1200, 'v1199', 'from-1200']);
    expect(asked[1]).toBe('/api/v1/models?limit=200&cursor=from-1000');
  });
});

describe('how a version came to stand where it stands', () => {
  const change = (from: ModelState | null, to: ModelState, at: string, by = 'bist train', reason = 'r'): StateChange => ({ from, to, at, by, reason });
  it('tells as one what was done at once', () => {
    const made = steps([
      change(null, 'candidate', '1'),
      change('candidate', 'champion', '1'),
      change('champion', 'retired', '2', 'ayse', 'worse'),
      change('retired', 'champion', '3', 'ayse', 'better'),
    ]);
    expect(made.map(({ through, to, at }) => [through, to, at])).toEqual([
      [['candidate'], 'champion', '1'],
      [['champion'], 'retired', '2'],
      [['retired'], 'champion', '3'],
    ]);
  });
  it('keeps apart what others did, or for another reason', () => {
    expect(steps([change(null, 'candidate', '1'), change('candidate', 'staged', '1', 'ayse')])).toHaveLength(2);
    expect(steps([change(null, 'candidate', '1'), change('candidate', 'staged', '1', 'bist train', 'other')])).toHaveLength(2);
    expect(steps([])).toEqual([]);
  });
  it('tells commands from people', () => {
    expect(['bist train', 'bist tune', 'bist', 'bistik', 'ayse'].map(isCommand)).toEqual([true, true, true, false, false]);
  });
  it('gives the reasons of commands in the language of the reader, and leaves those of people', () => {
    const trained = 'trained on the bars as they are and put in force at once';
    expect(reasonText('en', trained, [])).toBe(trained);
    expect(reasonText('tr', trained, [])).toBe('eldeki çubuklarla eğitildi ve hemen kullanıma alındı');
    expect(reasonText('tr', 'the tuned one is better', [{ en: 'the tuned one is better', tr: 'ayarlanan daha iyi' }])).toBe('ayarlanan daha iyi');
    expect(reasonText('tr', 'Ayşe said so', [])).toBeNull();
  });
});

describe('the version to compare with', () => {
  const model = (version: string, state: ModelState, day: number, horizon: Horizon = '5'): ModelSummary =>
    ({ version, state, horizon, trained_at: `2026-01-${String(day).padStart(2, '0')}T10:00:00Z` }) as ModelSummary;
  const candidate = model('d', 'candidate', 9);
  const champion = model('c', 'champion', 7);
  const former = model('b', 'retired', 5);
  const versions = [candidate, champion, former, model('a', 'retired', 3), model('far', 'champion', 9, '20')];
  const usual = (shown: ModelSummary, among = versions): string | null => usualOther(comparable(among, shown), shown);
  it('looks as far ahead', () => {
    expect(comparable(versions, champion).map((one) => one.version)).toEqual(['d', 'b', 'a']);
  });
  it('is the champion, and for the champion the one before it', () => {
    expect([candidate, former].map((one) => usual(one))).toEqual(['c', 'c']);
    expect(usual(champion)).toBe('b');
  });
  it('of the first one is the newest, and of an only one none', () => {
    expect(usual(champion, [candidate, champion])).toBe('d');
    expect(usual(champion, [champion])).toBeNull();
  });
});

describe('a difference', () => {
  const nothing = { added: [], removed: [] };
  const same: ModelDifference = {
    before: 'a',
    after: 'b',
    same_artifact: false,
    same_bars: true,
    same_test_days: true,
    lineage: [{ field: 'spec.seed', before: 7, after: 8 }],
    symbols: nothing,
    features: nothing,
    metrics: [],
  };
  it('warns of what forbids to set the figures side by side', () => {
    expect(cautions(same)).toEqual([]);
    expect(cautions({ ...same, same_test_days: false, same_bars: false })).toEqual(['test_days', 'bars']);
    expect(cautions({ ...same, same_test_days: false, lineage: [{ field: 'spec.horizon', before: 5, after: 20 }] })).toEqual(['horizons', 'test_days']);
    expect(cautions({ ...same, same_artifact: true })).toEqual(['same_artifact']);
  });
  it('draws what has an interval', () => {
    expect(drawn({ value: 0.1, interval: [-0.1, 0.3] })).toEqual({ value: 0.1, low: -0.1, high: 0.3 });
    expect(drawn({ value: 0.1, interval: null })).toBeNull();
    expect(drawn(null)).toBeNull();
  });
  it('writes values as they are, and no value as none', () => {
    const written = [7, 0.5, true, 'linear', ['a', 1], {}, null, undefined].map((value) => fieldText(value, (number) => `#${number}`));
    expect(written).toEqual(['#7', '#0.5', 'true', 'linear', '["a",1]', '{}', null, null]);
  });
});
