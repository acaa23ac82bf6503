import { describe, expect, it } from 'vitest';
import type { MonthScore, QualitySummary } from '../src/api/schema/quality';
import { rank } from '../src/i18n/fold';
import { kindMatrix, shade } from '../src/routes/quality/kind_matrix';
import { HEIGHT, nearest, RIGHT, scoreChart } from '../src/routes/quality/score_chart';

/** Pixels of a page. */
const WIDTH = 720;

function month(day: string, score: number): MonthScore {
  return { month: day, score_share: score, expected_count: 20, error_rows_count: 0, warning_rows_count: 0 };
}

describe('the chart of the score', () => {
  it('lays months on the time axis and leaves a gap where one is missing', () => {
    const chart = scoreChart([month('2024-01-01', 1), month('2024-02-01', 0.95), month('2024-05-01', 0.99)], WIDTH);
    expect(chart.line.match(/[ML]/g)).toEqual(['M', 'L', 'M']);
    expect(chart.points[0]?.x).toBeLessThan(chart.points[1]?.x ?? 0);
    expect(chart.points[2]?.x).toBe(WIDTH - RIGHT);
    expect(chart.points.every((point) => point.y >= 0 && point.y <= HEIGHT)).toBe(true);
  });
  it('begins at 90 % unless a month is worse', () => {
    expect(scoreChart([month('2024-01-01', 0.96)], WIDTH).from).toBe(0.9);
    expect(scoreChart([month('2024-01-01', 0.42)], WIDTH).from).toBeCloseTo(0.4);
    expect(scoreChart([month('2024-01-01', 0)], WIDTH).from).toBe(0);
  });
  it('draws higher scores higher', () => {
    const { y } = scoreChart([month('2024-01-01', 0.96)], WIDTH);
    expect(y(1)).toBeLessThan(y(0.95));
  });
  it('of nothing is nothing', () => {
    expect(scoreChart([], WIDTH)).toMatchObject({ points: [], line: '', years: [] });
    expect(nearest([], 3)).toBeNull();
  });
  it('names years without crowding them', () => {
    const months = Array.from({ length: 26 * 12 }, (_, index) =>
      month(`${2000 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}-01`, 1),
    );
    const { years, points } = scoreChart(months, WIDTH);
    for (const [index, year] of years.entries()) {
      const before = years[index - 1];
      if (before !== undefined) expect(year.x - before.x).toBeGreaterThanOrEqual(46);
    }
    expect(years.length).toBeGreaterThan(5);
    expect(nearest(points, 0)?.month.month).toBe('2000-01-01');
    expect(nearest(points, WIDTH)?.month.month).toBe('2025-12-01');
  });
});

function item(symbol: string, source: string, findings: QualitySummary['findings']): QualitySummary {
  return {
    symbol, source, basis: 'unknown', origin: 'market', interval: '1d', received_count: 9, accepted_count: 9,
    quarantined_count: 0, unverifiable_count: 0, missing_sessions_count: 0, warning_rows_count: 0, score_share: 1,
    band: 'good', first_day: null, last_day: null, is_primary: true, findings,
  };
}

describe('the matrix of findings', () => {
  const items = [
    item('AKBNK', 'csv', [{ code: 'flat_bar', severity: 'info', count: 40 }, { code: 'holiday_row', severity: 'error', count: 1 }]),
    item('THYAO', 'csv', [{ code: 'holiday_row', severity: 'error', count: 3 }]),
    item('THYAO', 'yahoo', [{ code: 'zero_volume', severity: 'warning', count: 2 }]),
    item('TUPRS', 'csv', []),
  ];
  it('puts errors first, in kinds and in symbols, and leaves out symbols without findings', () => {
    const { kinds, rows } = kindMatrix(items, { source: null, severity: null });
    expect(kinds.map((kind) => kind.code)).toEqual(['holiday_row', 'zero_volume', 'flat_bar']);
    expect(kinds[0]).toMatchObject({ count: 4, symbols: 2 });
    expect(rows.map((row) => [row.symbol, row.source, ...row.counts])).toEqual([
      ['THYAO', 'csv', 3, 0, 0],
      ['AKBNK', 'csv', 1, 0, 40],
      ['THYAO', 'yahoo', 0, 2, 0],
    ]);
  });
  it('shows what is asked for', () => {
    const { kinds, rows } = kindMatrix(items, { source: 'csv', severity: 'error' });
    expect(kinds.map((kind) => kind.code)).toEqual(['holiday_row']);
    expect(rows.map((row) => row.symbol)).toEqual(['THYAO', 'AKBNK']);
  });
  it('shades by the digits of a count, and not at all where there is none', () => {
    expect([0, 1, 9, 10, 99, 100, 5536].map(shade)).toEqual([0, 1, 1, 2, 2, 3, 3]);
  });
});

describe('the search', () => {
  it('finds a share by the name it had before', () => {
    expect(rank('kozal', 'TRALT', 'Türk Altın', ['KOZAL'])).toBe(0);
    expect(rank('koz', 'TRALT', null, ['KOZAL'])).toBe(1);
    expect(rank('koz', 'TRALT', null)).toBeNull();
  });
});
