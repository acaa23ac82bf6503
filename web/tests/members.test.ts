import { describe, expect, it } from 'vitest';
import { getDictionary } from '../src/i18n/dictionary';
import { memberWords } from '../src/i18n/member_words';
import { HEIGHT, verdict, weightBars } from '../src/routes/models/member_record';

const loss = (low: number, high: number) => ({ value: (low + high) / 2, low, high, level: 0.95 });

describe('a member of the ensemble', () => {
  it('is told apart from the ensemble only by an interval without zero', () => {
    expect(verdict(loss(1e-6, 3e-6))).toBe('worse');
    expect(verdict(loss(-3e-6, -1e-6))).toBe('better');
    expect(verdict(loss(-1e-6, 3e-6))).toBe('same');
    expect(verdict(loss(0, 3e-6))).toBe('same');
    expect(verdict(loss(0, 0))).toBe('same');
  });
  it('that cannot be compared is not called equal', () => {
    expect(verdict(null)).toBe('unknown');
  });
  it('has a name in both languages, as the ensemble has', () => {
    for (const language of ['tr', 'en'] as const) {
      for (const kind of ['ensemble', 'gbdt', 'lstm', 'prophet']) expect(getDictionary(language).models.kinds[kind], kind).toMatch(/^\p{Lu}/u);
    }
  });
  it.each(['better', 'worse', 'same', 'unknown'] as const)('is told to be %s in words of its own', (name) => {
    expect(memberWords('tr').verdicts[name]).not.toBe(memberWords('en').verdicts[name]);
    for (const language of ['tr', 'en'] as const) expect(new Set(Object.values(memberWords(language).verdicts)).size).toBe(4);
  });
});

describe('the bars of weights', () => {
  it('stand on the ground, and all of the weight fills the picture', () => {
    const { bars } = weightBars([1, 0.25]);
    expect(bars[0]).toMatchObject({ y: 0, height: HEIGHT });
    expect(bars[1]).toMatchObject({ y: HEIGHT * 0.75, height: HEIGHT / 4 });
  });
  it('show a weight of zero', () => {
    expect(weightBars([0]).bars[0]?.height).toBeGreaterThan(0);
  });
  it('grow narrow rather than wide as folds become many', () => {
    const { bars, width } = weightBars(Array.from({ length: 200 }, () => 0.5));
    expect(bars).toHaveLength(200);
    expect(width).toBeLessThanOrEqual(120);
    for (const bar of bars) expect(bar.x + bar.width).toBeLessThanOrEqual(width);
  });
  it('of no folds are none', () => {
    expect(weightBars([])).toEqual({ bars: [], width: 0 });
  });
});
