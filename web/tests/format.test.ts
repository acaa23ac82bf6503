import { describe, expect, it } from 'vitest';
import {
  addDays,
  clock,
  compact,
  day,
  exchangeDay,
  exchangeTime,
  instant,
  lira,
  MISSING,
  nearDay,
  nearMoment,
  number,
  percent,
  price,
  signedPercent,
  signedPrice,
  significant,
} from '../src/i18n/format';

/** Intl separates a unit with a no-break space, whose kind depends on the version of its data. */
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ');

describe('numbers', () => {
  it('are written with the separators of the language', () => {
    expect(number('tr', 1234567.5, 1)).toBe('1.234.567,5');
    expect(number('en', 1234567.5, 1)).toBe('1,234,567.5');
  });
  it('carry the percent sign where the language puts it', () => {
    expect(percent('tr', 0.0222)).toBe('%2,22');
    expect(percent('en', 0.0222)).toBe('2.22%');
    expect(signedPercent('tr', 0.0222)).toBe('+%2,22');
    expect(signedPercent('en', -0.0222)).toBe('-2.22%');
  });
  it('do not take the sign of a format asked for before', () => {
    signedPercent('tr', 0.72, 0);
    expect(percent('tr', 0.72, 0)).toBe('%72');
    signedPercent('tr', 0.72, 0);
    expect(percent('tr', 0.72, 1)).toBe('%72,0');
  });
  it('of zero have no sign', () => {
    expect(signedPercent('tr', 0)).toBe('%0,00');
    expect(signedPrice('en', 0)).toBe('0.00');
  });
  it('that are missing are a dash and never a zero', () => {
    for (const format of [number, percent, signedPercent, compact]) {
      expect(format('tr', null)).toBe(MISSING);
      expect(format('en', undefined)).toBe(MISSING);
      expect(format('en', Number.NaN)).toBe(MISSING);
    }
    expect(price('tr', null)).toBe(MISSING);
    expect(price('tr', '')).toBe(MISSING);
    expect(lira('en', 'abc')).toBe(MISSING);
  });
  it('of any size show the digits that mean something', () => {
    expect(significant('tr', 0.0312345)).toBe('0,03123');
    expect(significant('en', 1234)).toBe('1,234');
    expect(significant('en', 0)).toBe('0');
    expect(significant('en', 0.00001234)).toBe('1.234E-5');
    expect(significant('en', Number.NaN)).toBe('–');
  });
  it('of volume are short', () => {
    expect(plain(compact('tr', 30_200_000))).toBe('30,2 Mn');
    expect(compact('en', 30_200_000).toLowerCase()).toBe('30.2m');
  });
});

describe('prices', () => {
  it('come from decimal strings and keep up to four decimals', () => {
    expect(price('tr', '312.50')).toBe('312,50');
    expect(price('en', '1312.5')).toBe('1,312.50');
    expect(price('tr', '0.0125')).toBe('0,0125');
  });
  it('carry the sign of the lira in both languages', () => {
    expect(plain(lira('tr', '312.50'))).toBe('₺312,50');
    expect(plain(lira('en', '312.50'))).toBe('₺312.50');
  });
});

describe('days and instants', () => {
  it('of the exchange have no zone', () => {
    expect(day('tr', '2026-11-20')).toBe('20 Kas 2026');
    expect(day('en', '2026-11-20')).toBe('20 Nov 2026');
    expect(day('tr', '2026-11-20', 'short')).toBe('20 Kas');
    expect(day('tr', null)).toBe(MISSING);
    expect(day('tr', 'yesterday')).toBe(MISSING);
  });
  it('of another year say the year', () => {
    expect(nearDay('tr', '2026-11-20', '2026-11-24')).toBe('20 Kas');
    expect(nearDay('tr', '2024-11-18', '2026-11-24')).toBe('18 Kas 2024');
    expect(nearDay('en', null, '2026-11-24')).toBe(MISSING);
  });
  it('may be told with a time, which is that of Istanbul already', () => {
    expect(nearMoment('tr', '2026-11-20', '14:00', '2026-11-24')).toBe('20 Kas 14:00');
    expect(nearMoment('en', '2024-11-18', '18:10', '2026-11-24')).toBe('18 Nov 2024 18:10');
    expect(nearMoment('en', '2026-11-20', undefined, '2026-11-24')).toBe('20 Nov');
  });
  it('are shown in the time of Istanbul', () => {
    expect(exchangeTime(new Date('2026-11-20T21:05:42Z'))).toBe('00:05');
    expect(instant('tr', '2026-11-20T15:10:00Z')).toContain('18:10');
    expect(clock('en', new Date('2026-11-20T15:10:42Z'), true)).toBe('18:10:42');
    expect(instant('en', 'never')).toBe(MISSING);
  });
  it('change at midnight in Istanbul', () => {
    expect(exchangeDay(new Date('2026-11-20T20:59:59Z'))).toBe('2026-11-20');
    expect(exchangeDay(new Date('2026-11-20T21:00:00Z'))).toBe('2026-11-21');
  });
  it('are counted across months and years', () => {
    expect(addDays('2026-12-30', 3)).toBe('2027-01-02');
    expect(addDays('2024-03-01', -1)).toBe('2024-02-29');
  });
});
