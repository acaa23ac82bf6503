import { describe, expect, it } from 'vitest';
import { KINDS } from '../src/api/schema/personal';
import { personalWords } from '../src/i18n/personal_words';
import { conditionOf, fieldsOf, type ConditionForm } from '../src/routes/settings/alerts/condition';

const form: ConditionForm = { kind: 'price', symbol: 'THYAO', horizon: '5', direction: 'up', price: ' 312,50 ', percent: 5, multiple: 3, sessions: 20, score: 95 };

describe('the condition that a form describes', () => {
  it('has the fields of its kind and no others', () => {
    expect(conditionOf(form)).toEqual({ kind: 'price', symbol: 'THYAO', direction: 'up', price: '312.50' });
    expect(conditionOf({ ...form, kind: 'change', direction: '' })).toEqual({ kind: 'change', symbol: 'THYAO', change_share: 0.05 });
    expect(conditionOf({ ...form, kind: 'volume_spike' })).toEqual({ kind: 'volume_spike', symbol: 'THYAO', volume_multiple: 3, sessions_count: 20 });
    expect(conditionOf({ ...form, kind: 'band_breach' })).toEqual({ kind: 'band_breach', symbol: 'THYAO', horizon: '5' });
    expect(conditionOf({ ...form, kind: 'data_quality', symbol: '' })).toEqual({ kind: 'data_quality', score_share: 0.95 });
    expect(conditionOf({ ...form, kind: 'drift', horizon: '' })).toEqual({ kind: 'drift' });
  });

  it('is named and asked about for every kind, in both languages', () => {
    for (const kind of KINDS) {
      expect(fieldsOf(kind).length).toBeGreaterThan(0);
      expect(personalWords('tr').kinds[kind]).not.toBe('');
      expect(personalWords('en').kinds[kind]).not.toBe('');
    }
  });
});
