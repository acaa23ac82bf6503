import { describe, expect, it } from 'vitest';
import { HORIZONS, type Horizon } from '../src/api/schema/vocabulary';
import type { ModelSummary } from '../src/api/schema/models';
import { getDictionary } from '../src/i18n/dictionary';
import { horizonVersions } from '../src/routes/models/horizon_versions';
import { BOTTOM, EDGE, HEIGHT, LEFT, weightLine } from '../src/routes/models/weight_chart';

describe('a member of the ensemble', () => {
  it('has a name in both languages, as the ensemble has', () => {
    for (const language of ['tr', 'en'] as const) {
      for (const kind of ['ensemble', 'gbdt', 'elastic_net', 'lstm', 'prophet']) expect(getDictionary(language).models.kinds[kind], kind).toMatch(/^\p{Lu}/u);
    }
  });
});

describe('the line of weights', () => {
  const shares = [
    { calm: 1, turbulent: 0.5 },
    { calm: 0, turbulent: 0.25 },
    { calm: 0.5, turbulent: 0 },
  ];
  it('has nothing at the bottom and all at the top', () => {
    const points = weightLine(shares, 'calm', 200);
    expect(points[0]?.y).toBe(EDGE);
    expect(points[1]?.y).toBe(HEIGHT - BOTTOM);
    expect(points[2]?.y).toBe((EDGE + HEIGHT - BOTTOM) / 2);
  });
  it('is that of its own regime', () => {
    expect(weightLine(shares, 'turbulent', 200).map((point) => point.share)).toEqual([0.5, 0.25, 0]);
  });
  it('goes from one edge to the other, in the order of the folds', () => {
    expect(weightLine(shares, 'calm', 200).map((point) => point.x)).toEqual([LEFT, (LEFT + 200 - EDGE) / 2, 200 - EDGE]);
  });
  it('of one fold is a point in the middle, and before it is laid out it stays in the picture', () => {
    expect(weightLine(shares.slice(0, 1), 'calm', 200)[0]?.x).toBe((LEFT + 200 - EDGE) / 2);
    for (const point of weightLine(shares, 'calm', 0)) expect(point.x).toBe(LEFT);
  });
  it('of no folds has no points', () => {
    expect(weightLine([], 'calm', 200)).toEqual([]);
  });
});

describe('the models of the other horizons', () => {
  const model = (version: string, horizon: Horizon, trainedAt: string): ModelSummary =>
    ({ version, horizon, trained_at: trainedAt }) as ModelSummary;
  const old = HORIZONS.map((horizon) => model(`old-${horizon}`, horizon, '2026-01-01T10:00:00Z'));
  const fresh = HORIZONS.map((horizon) => model(`new-${horizon}`, horizon, '2026-02-01T10:00:00Z'));
  const shownOf = (version: string): ModelSummary => {
    const found = [...fresh, ...old].find((candidate) => candidate.version === version);
    if (found === undefined) throw new Error(version);
    return found;
  };
  it('are those of the same training run, itself for its own horizon', () => {
    const versions = (shown: string): (string | null)[] => horizonVersions([...fresh, ...old], shownOf(shown)).map((entry) => entry.version);
    expect(versions('old-5')).toEqual(['old-1h', 'old-eod', 'old-1', 'old-5', 'old-20']);
    expect(versions('new-20')).toEqual(['new-1h', 'new-eod', 'new-1', 'new-5', 'new-20']);
  });
  it('that do not exist, or are not known yet, are none', () => {
    expect(horizonVersions([], shownOf('old-5')).map((entry) => entry.version)).toEqual([null, null, null, 'old-5', null]);
  });
});
