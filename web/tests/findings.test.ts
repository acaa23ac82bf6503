import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Finding, FreshnessRow } from '../src/api/schema/quality';
import { findingAdvice, findingRule, RULE_CODES } from '../src/i18n/finding_rules';
import { findingSentence, findingValue, REFUSAL_CODES, SENTENCE_CODES } from '../src/i18n/finding_sentences';
import { FINDING_CODES, findingName } from '../src/i18n/findings';
import { MISSING } from '../src/i18n/format';
import { freshnessSummary, isBehind } from '../src/routes/quality/freshness_summary';
import { decisionCommand, rowState } from '../src/routes/quality/row_state';
import { uncheckedSources } from '../src/routes/quality/unchecked';

const MARKET = new URL('../../crates/market/src/', import.meta.url);
const rust = (file: string): string => readFileSync(new URL(file, MARKET), 'utf8').replace(/^ *\/\/\/.*$/gm, '');
const snake = (name: string): string => name.replace(/(?<!^)(?=[A-Z])/g, '_').toLowerCase();

/** The variants of an enum and the types of their fields, as they stand in the Rust source. */
function variants(source: string, name: string): Map<string, Map<string, string>> {
  const body = new RegExp(`enum ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no enum ${name}`);
  const plain = body.replace(/^ *#\[.*$/gm, '');
  return new Map(
    [...plain.matchAll(/^ {4}(\w+)(?: \{([^}]*)\})?,$/gm)].map((match) => [
      snake(match[1] ?? ''),
      new Map([...(match[2] ?? '').matchAll(/(\w+): ([^\n]+),/g)].map((field) => [field[1] ?? '', field[2] ?? ''])),
    ]),
  );
}

const KINDS = variants(rust('validate/finding/kind.rs'), 'FindingKind');
const REFUSALS = variants(rust('refused_row.rs'), 'Refusal');

/** A value of the Rust type, as the API would send it. */
function example(name: string, type: string): unknown {
  const words: Record<string, string> = { field: 'close', outcome: 'came_back', phase: 'break', what: 'range', name: 'Victory Day', file: 'THYAO.csv' };
  if (words[name] !== undefined) return words[name];
  if (type === 'Date') return '2024-03-05';
  if (type === 'Source') return 'yahoo';
  if (type === 'String' || type.startsWith('Cow')) return 'abc';
  if (type === 'bool') return true;
  if (type === 'Vec<String>') return ['split', 'cash_dividend'];
  if (type === 'Refusal') return { code: 'not_a_number', field: 'open', text: 'abc' };
  if (/^(Option<)?f64/.test(type)) return 0.1234;
  if (/^[iu]\d+$/.test(type)) return 12_345;
  throw new Error(`${name} has the type ${type}, of which the test knows no value`);
}
const examples = (fields: Map<string, string>): Record<string, unknown> =>
  Object.fromEntries([...fields].map(([name, type]) => [name, example(name, type)]));
const sentence = (language: 'tr' | 'en', code: string, values: Record<string, unknown>): string =>
  findingSentence(language, { code, text: 'the server’s own', values }).text;

describe('a kind of finding', () => {
  it('of the validator has a name, a sentence and a rule, and no other has', () => {
    expect(KINDS.size).toBeGreaterThan(40);
    for (const known of [FINDING_CODES, SENTENCE_CODES, RULE_CODES]) expect([...known].sort()).toEqual([...KINDS.keys()].sort());
  });
  it.each([...KINDS.keys()])('%s is told in both languages with the numbers it has', (code) => {
    const values = examples(KINDS.get(code) ?? new Map());
    const turkish = sentence('tr', code, values);
    const english = sentence('en', code, values);
    expect(turkish).not.toBe(english);
    for (const text of [turkish, english]) {
      expect(text).toMatch(/^[\p{Lu}\d].*\.$/u);
      // Between two dates or prices there is a dash of its own, with a space on either side.
      expect(text.replace(/(?<=\S) – (?=\S)/g, ' '), 'every number it needs is there').not.toMatch(new RegExp(`undefined|NaN|${MISSING}`));
    }
    expect(findingName('tr', code)).not.toBe(findingName('en', code));
    expect(findingRule('tr', code, 'The rule.')).toMatchObject({ lang: 'tr' });
  });
  it.each([...KINDS.keys()])('%s asks for no number that the validator does not send', (code) => {
    const fields = KINDS.get(code) ?? new Map<string, string>();
    const asked = new Set<string>();
    const values = new Proxy(examples(fields), {
      get(target, name) {
        if (typeof name === 'string') asked.add(name);
        return Reflect.get(target, name) as unknown;
      },
    });
    for (const language of ['tr', 'en'] as const) sentence(language, code, values);
    expect([...asked].filter((name) => !fields.has(name))).toEqual([]);
  });
  it('that is not known here is told in the server’s words', () => {
    expect(findingSentence('tr', { code: 'alien_row', text: 'a row from elsewhere', values: {} })).toEqual({ text: 'a row from elsewhere', lang: 'en' });
    expect(findingRule('tr', 'alien_row', 'The rule.')).toEqual({ text: 'The rule.', lang: 'en' });
    expect(findingName('tr', 'alien_row')).toBe('alien_row');
    expect(findingAdvice('tr', 'alien_row')).toBeNull();
  });
  it('that is an error comes with what to do about it', () => {
    const errors = [...rust('validate/finding/kind.rs').matchAll(/=> \("(\w+)", Error\)/g)].map((match) => match[1] ?? '');
    expect(errors.length).toBeGreaterThan(15);
    for (const code of errors) expect(findingAdvice('en', code), code).not.toBeNull();
  });
});

describe('a sentence of a finding', () => {
  const move = {
    field: 'close', price_units: 2_069_200, base_units: 1_486_000, base_day: '2023-01-31',
    move_share: 0.39246, allowed_share: 0.11, outcome: 'stayed_there',
  };
  it('writes prices, shares and days as the language does', () => {
    expect(sentence('tr', 'move_beyond_limit', move)).toBe(
      'Kapanış ₺206,92: 31 Oca 2023 kapanışına (₺148,60) göre +%39,25; en çok %11,00 olabilirdi ve bir açıklaması yok. Sonraki satır yeni düzeyde kaldı; getiri bu kırılmanın üzerinden hesaplanmaz.',
    );
    expect(sentence('en', 'move_beyond_limit', move)).toContain('₺206.92 is +39.25% from the close of 31 Jan 2023 (₺148.60)');
  });
  it('names holidays and corporate actions in its language', () => {
    expect(sentence('tr', 'holiday_row', { name: 'Victory Day' })).toContain('Zafer Bayramı');
    expect(sentence('tr', 'move_explained_by_action', { actions: ['bonus_issue'], move_share: -0.5, theoretical_base: 99.6667 })).toContain(
      'bedelsiz sermaye artırımı',
    );
  });
  it('does not make a zero of a number that is not there', () => {
    expect(sentence('tr', 'low_above_high', {})).toContain(MISSING);
    expect(sentence('en', 'non_positive_adjusted_close', { adjusted_close: null })).toBe('The adjusted close is not a number.');
  });
  it('knows every reason for which a row is refused', () => {
    expect([...REFUSAL_CODES].sort()).toEqual([...REFUSALS.keys()].sort());
    for (const [code, fields] of REFUSALS) {
      const values = { file: 'THYAO.csv', line: 17, reason: { ...examples(fields), code } };
      const [turkish, english] = [sentence('tr', 'row_refused', values), sentence('en', 'row_refused', values)];
      expect(turkish, code).not.toBe(english);
      for (const text of [turkish, english]) expect(text, code).not.toMatch(new RegExp(`undefined|${MISSING}|${code}`));
    }
  });
  it('is followed by its numbers in their units', () => {
    expect(findingValue('tr', 'close_units', 528_500)).toBe('₺52,85');
    expect(findingValue('en', 'move_share', -0.0995)).toBe('-9.95%');
    expect(findingValue('tr', 'allowed_share', 0.21)).toBe('%21,00');
    expect(findingValue('tr', 'rows_count', 2488)).toBe('2.488');
    expect(findingValue('en', 'base_day', '2024-07-31')).toBe('31 Jul 2024');
    expect(findingValue('en', 'adjusted_close', null)).toBe(MISSING);
    expect(findingValue('tr', 'name', "New Year's Day")).toBe('Yılbaşı');
    expect(findingValue('tr', 'actions', ['split', 'rights_issue'])).toBe('bölünme ve bedelli sermaye artırımı');
    expect(findingValue('en', 'reason', { code: 'not_text' })).toContain('UTF-8');
  });
});

describe('the row of a finding', () => {
  const finding: Pick<Finding, 'id' | 'quarantined' | 'unverifiable' | 'opened_at' | 'day'> = {
    id: '0f3a5c7b9d1e2f40', quarantined: false, unverifiable: false, opened_at: '2024-03-04T21:00:00Z', day: '2024-03-05',
  };
  const noRow = { ...finding, opened_at: null };
  it('is in use unless it is kept out, unverifiable or not there', () => {
    expect(rowState(finding)).toBe('used');
    expect(rowState({ ...finding, quarantined: true })).toBe('quarantined');
    expect(rowState({ ...finding, unverifiable: true })).toBe('unverifiable');
    expect(rowState(noRow)).toBe('absent');
    expect(rowState({ ...noRow, day: null })).toBe('series');
  });
  it('can be decided about the other way, where a decision changes something', () => {
    expect(decisionCommand(finding)).toBe('bist validate reject 0f3a5c7b9d1e2f40 --reason "…"');
    expect(decisionCommand({ ...finding, quarantined: true })).toContain('validate accept ');
    expect(decisionCommand(noRow)).toBeNull();
    expect(decisionCommand({ ...finding, unverifiable: true })).toBeNull();
  });
});

describe('freshness', () => {
  const row = (over: Partial<FreshnessRow>): FreshnessRow => ({ symbol: 'THYAO', source: 'csv', newest_day: '2026-11-20', lag_sessions: 0, cells: ['bar', 'not_yet'], ...over });
  it('lacks something where a session is missing, kept out or not there yet at all', () => {
    expect(isBehind(row({}))).toBe(false);
    expect(isBehind(row({ lag_sessions: 3 }))).toBe(true);
    expect(isBehind(row({ lag_sessions: null, newest_day: null }))).toBe(true);
    expect(isBehind(row({ cells: ['quarantined', 'bar'] }))).toBe(true);
    expect(isBehind(row({ cells: ['accepted_by_hand', 'bar'] }))).toBe(false);
  });
  it('is summed up by series that are up to date and the newest day of all', () => {
    const rows = [row({}), row({ newest_day: '2026-11-23', lag_sessions: 0 }), row({ newest_day: null, lag_sessions: null })];
    expect(freshnessSummary(rows)).toEqual({ seriesCount: 3, freshCount: 2, newestDay: '2026-11-23' });
    expect(freshnessSummary([])).toEqual({ seriesCount: 0, freshCount: 0, newestDay: null });
  });
});

describe('a source', () => {
  const at = (source: string, last_success_at: string | null) => ({ source, last_success_at });
  it('that brought data after the last check is named', () => {
    const sources = [at('csv', '2026-11-27T20:00:00.5Z'), at('yahoo', '2026-11-27T20:00:02Z'), at('evds', null)];
    expect(uncheckedSources(sources, '2026-11-27T20:00:01Z')).toEqual(['yahoo']);
    expect(uncheckedSources(sources, '2026-11-27T20:00:03Z')).toEqual([]);
    expect(uncheckedSources(sources, null)).toEqual(['csv', 'yahoo']);
  });
});
