import { describe, expect, it } from 'vitest';
import { backupWords } from '../src/i18n/backup_words';
import { choosable, choose, localOf, momentOf } from '../src/routes/admin/moment';

const LOG = { from: '2026-11-22T21:30:00.25Z', to: '2026-11-24T12:00:00.125Z' };

describe('a moment that is gone back to', () => {
  it('is typed in the time of Istanbul and asked for in UTC', () => {
    expect(momentOf('2026-11-24T15:00:05')).toBe('2026-11-24T12:00:05Z');
    expect(momentOf('2026-11-24T01:30:00')).toBe('2026-11-23T22:30:00Z');
    expect(localOf('2026-11-23T22:30:00Z')).toBe('2026-11-24T01:30:00');
  });
  it('may be without seconds that are 0, as browsers give it', () => {
    expect(momentOf('2026-11-24T15:00')).toBe('2026-11-24T12:00:00Z');
  });
  it('is none when it is no time, or one that clocks never showed', () => {
    for (const local of ['', 'noon', '2026-11-24', '0020-11-24T15:00', '2026-11-24T25:00', '2026-02-30T12:00', '2026-11-24T15:00:05.5', '2026-11-24T15:00:05Z']) expect(momentOf(local), local).toBeNull();
    // Clocks in Istanbul were changed at three in the morning.
    expect(momentOf('2016-03-27T03:30')).toBeNull();
    expect([momentOf('2016-03-27T02:59:59'), momentOf('2016-03-27T04:00')]).toEqual(['2016-03-27T00:59:59Z', '2016-03-27T01:00:00Z']);
  });
  it('lies between the first and the last second that the log has', () => {
    expect(choosable(LOG)).toEqual({ from: '2026-11-22T21:30:01Z', to: '2026-11-24T12:00:01Z' });
    expect(choosable({ from: '2026-11-24T12:00:00Z', to: '2026-11-24T12:00:00Z' })).toEqual({ from: '2026-11-24T12:00:00Z', to: '2026-11-24T12:00:00Z' });
    expect(choose('2026-11-23T00:30:00', LOG)).toEqual({ fault: 'early' });
    expect(choose('2026-11-23T00:30:01', LOG)).toEqual({ at: '2026-11-22T21:30:01Z' });
    expect(choose('2026-11-24T15:00:01', LOG)).toEqual({ at: '2026-11-24T12:00:01Z' });
    expect(choose('2026-11-24T15:00:02', LOG)).toEqual({ fault: 'late' });
    expect(choose('', LOG)).toEqual({ fault: 'none' });
  });
  it('that is refused is told with the moments that are not, in both languages', () => {
    for (const language of ['tr', 'en'] as const) {
      const { momentFaults } = backupWords(language);
      expect(momentFaults.none('FROM', 'TO')).toMatch(/^\p{Lu}.*\.$/u);
      expect(momentFaults.early('FROM', 'TO')).toContain('FROM');
      expect(momentFaults.late('FROM', 'TO')).toContain('TO');
    }
  });
});
