import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FEATURE_NAMES, featureName, featureValue } from '../src/i18n/features';
import { MISSING } from '../src/i18n/format';

const FEATURES = new URL('../../crates/models/src/features/', import.meta.url);

/** The names in the tables of definitions of a Rust source, each table as long as it says. */
function defined(file: string): string[] {
  const source = readFileSync(new URL(file, FEATURES), 'utf8');
  const tables = [...source.matchAll(/^(?:pub\S* )?const DEFINITIONS: \[FeatureTemplate; (\d+)\] = \[([\s\S]*?)^\}?\];/gm)];
  return tables.flatMap(([, length, table]) => {
    // A name stands in its field, or as the first argument of a function that fills in the rest.
    const names = [...(table ?? '').matchAll(/(?:\bname: |\b\w+\(\s*)"([\w{}]+)"/g)].map((match) => match[1] ?? '');
    expect(names, `the table of ${file}`).toHaveLength(Number(length));
    return names;
  });
}

const DEFINED = readdirSync(FEATURES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.rs'))
  .flatMap(defined);
/** What the explanation of the ensemble names beside the features: the components of Prophet. */
const COMPONENTS = ['prophet_trend', 'prophet_yearly', 'prophet_weekly', 'prophet_holidays'];

describe('a feature', () => {
  it('of the models crate has a name, and no other has', () => {
    expect(DEFINED.length).toBeGreaterThan(80);
    // A window that can be chosen stands in braces there, and as a number here.
    const families = (names: readonly string[]) => names.map((name) => name.replace(/\{\w+\}|\d+/g, '#')).sort();
    expect(families(FEATURE_NAMES)).toEqual(families([...DEFINED, ...COMPONENTS]));
  });
  it.each(['tr', 'en'] as const)('has a name of its own (%s)', (language) => {
    const names = FEATURE_NAMES.map((name) => featureName(language, name));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).not.toMatch(/_/);
  });
  it('over another window is named with that window', () => {
    expect(featureName('en', 'rsi_9')).toBe('RSI (9)');
    expect(featureName('tr', 'return_90')).toBe('Getiri, 90 seans');
    expect(featureValue('en', 'rsi_9', 38.4)).toBe('38.4');
  });
  it('that is not known is shown by the name that the model gives it', () => {
    expect(featureName('tr', 'alien_7')).toBe('alien_7');
    expect(featureValue('en', 'alien_7', 0.25)).toBe('0.250');
  });
});

describe('the value of a feature', () => {
  it.each([
    ['return_5', -0.031, '-%3,10', '-3.10%'],
    ['prophet_trend', 0.0123, '+%1,23', '+1.23%'],
    ['prophet_weekly', -0.0004, '-%0,04', '-0.04%'],
    ['roc_120', 25.5, '+%25,50', '+25.50%'],
    ['volatility_20', 0.0214, '%2,14', '2.14%'],
    ['regime_turbulent', 0.8, '%80,00', '80.00%'],
    ['rsi_14', 38.4, '38,4', '38.4'],
    ['williams_r_60', -100, '-100,0', '-100.0'],
    ['turnover_ratio_5_60', 1.5, '1,50×', '1.50×'],
    ['sma_distance_50', -1.25, '-1,250', '-1.250'],
    ['day_of_week', 3, '3', '3'],
  ])('%s is read by its kind', (feature, value, turkish, english) => {
    expect(featureValue('tr', feature, value)).toBe(turkish);
    expect(featureValue('en', feature, value)).toBe(english);
  });
  it('that is missing is not made a zero', () => {
    expect(featureValue('en', 'rsi_14', null)).toBe(MISSING);
    expect(featureValue('en', 'turnover_ratio_5_60', null)).toBe(MISSING);
  });
});
