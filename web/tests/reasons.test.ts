import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../src/api/schema/models';
import type { Reason } from '../src/api/schema/signals';
import { CAVEAT_CODES, caveatSentence } from '../src/i18n/caveats';
import { findingName } from '../src/i18n/findings';
import { levelPercent, MISSING } from '../src/i18n/format';
import { CONDITION_CODES, conditionName, REASON_CODES, reasonSentence } from '../src/i18n/reasons';
import { ALARM_CODES, alarmSentence, skillSentence } from '../src/i18n/skill';

const NUMBERS = {
  expected_return_share: 0.0213,
  cost_share: 0.0042,
  low: -0.0031,
  high: 0.0457,
  rank_ic: { value: 0.012, low: -0.004, high: 0.028, level: 0.95 },
  unmet: ['rank_ic_above_zero'],
  days_count: 71,
  days_count_min: 100,
  as_of: '2026-11-20',
  day: '2026-11-23',
  last_close: '312.50',
  tick: '0.25',
};

describe('a reason', () => {
  it.each(REASON_CODES)('%s is a sentence of its own in both languages', (code) => {
    const turkish = reasonSentence('tr', { code, ...NUMBERS }, 'fallback');
    const english = reasonSentence('en', { code, ...NUMBERS }, 'fallback');
    expect(turkish).not.toBe(english);
    for (const sentence of [turkish, english]) {
      expect(sentence).toMatch(/^[\p{Lu}\d].*\.$/u);
      expect(sentence).not.toContain('fallback');
      expect(sentence).not.toContain('undefined');
      // An interval has a dash of its own, between its two ends.
      expect(sentence.replace(/\(%?\d+%?: [^)]*\)/g, ''), 'every number it needs is there').not.toContain(MISSING);
    }
  });

  it('writes its numbers as the language does', () => {
    const reason: Reason = { code: 'expected_gain_above_costs', ...NUMBERS };
    expect(reasonSentence('tr', reason, '')).toContain('+%2,13');
    expect(reasonSentence('tr', reason, '')).toContain('%0,42');
    expect(reasonSentence('en', reason, '')).toContain('+2.13%');
  });

  it('names the conditions that are not met, and the interval', () => {
    const sentence = reasonSentence('tr', { code: 'no_skill_shown', ...NUMBERS }, '');
    expect(sentence).toContain('rank IC sıfırdan ayırt edilemiyor');
    expect(sentence).toContain('+0,012 (%95: -0,004 – +0,028)');
  });

  it('without a measured rank IC says so', () => {
    const reason: Reason = { code: 'no_skill_shown', rank_ic: null, unmet: [] };
    expect(reasonSentence('en', reason, '')).toBe(
      'The model has shown no skill out of sample. There are too few days for a rank IC.',
    );
  });

  it('of a newer server falls back to the words of the server', () => {
    expect(reasonSentence('tr', { code: 'moon_is_full' }, 'The moon is full.')).toBe('The moon is full.');
  });

  it('to sell says that nothing is sold short', () => {
    const reason: Reason = { code: 'expected_loss_above_costs', ...NUMBERS };
    expect(reasonSentence('tr', reason, '')).toContain('açığa satış değildir');
    expect(reasonSentence('en', reason, '')).toContain('not a short sale');
  });
});

describe('codes', () => {
  it.each(CONDITION_CODES)('condition %s is named and explained in both languages', (code) => {
    const reason = { condition: code, relative_to_day: false, met: false, measured: -0.014, bound: 0, text: 'server text' };
    expect(conditionName('tr', code)).not.toBe(conditionName('en', code));
    expect(skillSentence('tr', reason)).not.toBe(skillSentence('en', reason));
    expect(skillSentence('tr', reason)).not.toBe('server text');
    expect(skillSentence('tr', reason)).toMatch(/-0,014|-%1/);
  });
  it('of conditions on errors relative to the day say so', () => {
    const reason = { condition: 'error_below_zero_forecast', relative_to_day: true, met: true, measured: 0.01, bound: 0, text: '' };
    expect(skillSentence('en', reason)).toContain('relative to the mean of the day');
    expect(skillSentence('tr', reason)).toContain('günün ortalamasına göre');
  });
  it('that are not known are shown as they are', () => {
    expect(findingName('tr', 'alien_row')).toBe('alien_row');
    expect(conditionName('en', 'alien')).toBe('alien');
    const reason = { condition: 'alien', relative_to_day: false, met: true, measured: 1, bound: 0, text: 'server text' };
    expect(skillSentence('tr', reason)).toBe('server text');
  });
});

describe('an alarm', () => {
  it.each(ALARM_CODES)('%s says in both languages what was measured and where to look', (code) => {
    const alarm = { code, measured: 0.213, bound: 0.15, text: 'server text' };
    expect(alarmSentence('tr', alarm)).toMatch(/0,213.*0,15.*bayat fiyat/);
    expect(alarmSentence('en', alarm)).toMatch(/0\.213.*0\.15.*stale prices/);
  });
  it('that is not known keeps the words of the server', () => {
    expect(alarmSentence('tr', { code: 'alien', measured: 1, bound: 0, text: 'Server text.' })).toBe('Server text.');
  });
});

describe('a level', () => {
  it('has a decimal only where it needs one', () => {
    expect(levelPercent('en', 0.95)).toBe('95%');
    expect(levelPercent('en', 0.9936)).toBe('99.4%');
    expect(levelPercent('tr', 0.98726)).toBe('%98,7');
  });
});

describe('a caveat', () => {
  const evaluation = {
    protocol: { configurations_tried_count: 3, costs: { slippage_share: 0.0005 } },
    by_symbol: [
      { rank_ic: { value: 0, low: -1, high: 1, level: 0.9 }, skill_shown: false },
      { rank_ic: { value: 0.2, low: 0.1, high: 0.3, level: 0.9 }, skill_shown: true },
      { rank_ic: null, skill_shown: false },
    ],
  } as unknown as Evaluation;
  it.each(CAVEAT_CODES)('%s is a sentence in both languages', (code) => {
    const turkish = caveatSentence('tr', { code, text: 'server text' }, evaluation);
    const english = caveatSentence('en', { code, text: 'server text' }, evaluation);
    expect(turkish).not.toBe(english);
    for (const sentence of [turkish, english]) expect(sentence).toMatch(/\.$/);
    expect(turkish).not.toBe('server text');
  });
  it('counts how many symbols were judged and how many passed', () => {
    const text = caveatSentence('en', { code: 'many_symbols_judged', text: '' }, evaluation);
    expect(text).toContain('2 symbols were judged');
    expect(text).toContain('1 passed');
  });
  it('that is not known keeps the words of the server', () => {
    expect(caveatSentence('tr', { code: 'alien', text: 'Server text.' }, evaluation)).toBe('Server text.');
  });
});
