import { describe, expect, it } from 'vitest';
import type { HistoryPoint, ParamAxis, StudySummary } from '../src/api/schema/studies';
import { axisOf, valueAxis } from '../src/charts/axis';
import { studyEn } from '../src/i18n/study_en';
import { studyTr } from '../src/i18n/study_tr';
import { historyMarks, improvements } from '../src/routes/studies/history_chart';
import { bestOf, brushed, isKept, linePath, linesOf, moved, ranked, type Line } from '../src/routes/studies/parallel';
import { axisText, drawnAxis, paramText } from '../src/routes/studies/param_axis';
import { pollingMs } from '../src/routes/studies/polling';
import { BOTTOM, LEFT, nearest, neighbour, paths, place, RIGHT, staircase, TOP, type Mark } from '../src/routes/studies/scatter';
import { sparkline } from '../src/routes/studies/sparkline';

const SIZE = { width: 600, height: 280 };
const point = (number: number, value: number | null, best: number | null, state: HistoryPoint['state'] = 'complete'): HistoryPoint => ({ number, value, best, state });

describe('the history', () => {
  const points = [point(0, 0.1, 0.1), point(1, null, 0.1, 'fail'), point(2, 0.05, 0.1), point(3, 0.2, 0.2), point(4, 0.2, 0.2, 'pruned'), point(5, null, 0.2, 'waiting')];
  it('steps only where the best improved', () => {
    expect(improvements(points)).toEqual([
      { number: 0, best: 0.1 },
      { number: 3, best: 0.2 },
    ]);
    expect(improvements([point(0, null, null, 'fail'), point(1, 3, 3)])).toEqual([{ number: 1, best: 3 }]);
  });
  it('draws every trial but those that wait', () => {
    expect(historyMarks(points).map((mark) => [mark.number, mark.kind])).toEqual([
      [0, 'complete'],
      [1, 'fail'],
      [2, 'complete'],
      [3, 'complete'],
      [4, 'pruned'],
    ]);
  });
});

describe('marks', () => {
  const axes = { x: axisOf(0, 10, false, 5), y: axisOf(0, 1, false, 5) };
  const marks: Mark[] = [
    { number: 0, kind: 'complete', x: 0, y: 1 },
    { number: 1, kind: 'fail', x: 5, y: null },
    { number: 2, kind: 'complete', x: 10, y: 9 },
  ];
  const placed = place(marks, axes, SIZE);
  it('stand inside the picture, at its edge where their value is outside', () => {
    expect(placed[0]).toMatchObject({ x: LEFT, y: TOP, isBeyond: false });
    expect(placed[1]).toMatchObject({ y: SIZE.height - BOTTOM, isBeyond: false });
    expect(placed[2]).toMatchObject({ x: SIZE.width - RIGHT, y: TOP, isBeyond: true });
  });
  it('of a kind are one path, however many they are', () => {
    const many = Array.from({ length: 10_000 }, (_, index): Mark => ({ number: index, kind: 'complete', x: index % 10, y: 0.5 }));
    const drawn = paths(place(many, axes, SIZE));
    expect(drawn.map(({ kind }) => kind)).toEqual(['complete']);
    expect(drawn[0]?.d.match(/M/g)).toHaveLength(10_000);
    expect(paths(placed).map(({ kind }) => kind)).toEqual(['beyond', 'fail', 'complete']);
  });
  it('are found by the pointer near them and nowhere else', () => {
    expect(nearest(placed, LEFT + 5, TOP + 5)?.number).toBe(0);
    expect(nearest(placed, LEFT + 5, TOP + 150)).toBeNull();
  });
  it('are walked by the arrow keys without leaving the ends', () => {
    expect(neighbour(marks, null, -1)).toBe(2);
    expect(neighbour(marks, 2, 1)).toBe(2);
    expect(neighbour(marks, 1, -1)).toBe(0);
    expect(neighbour([], null, 1)).toBeNull();
  });
});

describe('the staircase', () => {
  it('holds a value until a better one comes, and to the end', () => {
    expect(staircase([{ x: 10, y: 90 }, { x: 30, y: 40 }], 100)).toBe('M10.0 90.0H30.0V40.0H100.0');
    expect(staircase([], 100)).toBe('');
  });
});

const RATE: ParamAxis = { name: 'rate', kind: 'float', log: true, low: 1e-3, high: 1, choices: null };
const LEAVES: ParamAxis = { name: 'leaves', kind: 'int', log: false, low: 2, high: 10, choices: null };
const BAGGED: ParamAxis = { name: 'bagged', kind: 'categorical', log: false, low: 0, high: 1, choices: [true, false] };

describe('the axis of a parameter', () => {
  it('tells choices by their names and whole numbers whole', () => {
    expect(axisText(BAGGED, 1, String)).toBe('false');
    expect(axisText(LEAVES, 3.4, String)).toBe('3');
    expect(axisText(RATE, 0.25, String)).toBe('0.25');
    expect(paramText(null, String)).toBe('–');
    expect(paramText('gbdt', String)).toBe('gbdt');
  });
});

describe('parallel coordinates', () => {
  const data = [
    { number: 0, value: 1, x: [1e-3, 2, 0] },
    { number: 1, value: 2, x: [1, 10, 1] },
    { number: 2, value: 3, x: [0.0316227766, 6, null] },
  ];
  const axes = [RATE, LEAVES, BAGGED].map((axis) => drawnAxis(axis, 5));
  const lines = linesOf(data, valueAxis([1, 2, 3], 5), axes);

  it('place each trial on every axis, and on none whose parameter it lacks', () => {
    expect(lines[0]?.shares.slice(1)).toEqual([0, 0, 0.25]);
    expect(lines[1]?.shares.slice(1)).toEqual([1, 1, 0.75]);
    expect(lines[2]?.shares[1]).toBeCloseTo(0.5, 6);
    expect(lines[2]?.shares[3]).toBeNull();
  });
  it('keep only what passes through every brush', () => {
    const kept = (brushes: Parameters<typeof isKept>[1]): number[] => lines.filter((line) => isKept(line, brushes)).map((line) => line.number);
    expect(kept({})).toEqual([0, 1, 2]);
    expect(kept({ 1: { from: 0.4, to: 1 } })).toEqual([1, 2]);
    expect(kept({ 1: { from: 0.4, to: 1 }, 2: { from: 0, to: 0.6 } })).toEqual([2]);
    // The ends belong to a brush, and a trial without the parameter does not pass.
    expect(kept({ 3: { from: 0.25, to: 0.75 } })).toEqual([0, 1]);
  });
  it('are brushed in either direction, inside the axis, and let go by a press', () => {
    expect(brushed({}, 2, 0.8, 0.3)).toEqual({ 2: { from: 0.3, to: 0.8 } });
    expect(brushed({}, 2, 0.5, 1.7)).toEqual({ 2: { from: 0.5, to: 1 } });
    expect(brushed({ 2: { from: 0.3, to: 0.8 }, 4: { from: 0, to: 0.5 } }, 2, 0.4, 0.401)).toEqual({ 4: { from: 0, to: 0.5 } });
  });
  it('have brushes whose ends keys move and do not cross', () => {
    const once = moved({}, 1, 'from', 0.02);
    expect(once).toEqual({ 1: { from: 0.02, to: 1 } });
    expect(moved(once, 1, 'from', 0)).toEqual({});
    expect(moved({ 1: { from: 0.4, to: 0.5 } }, 1, 'from', 0.9)).toEqual({ 1: { from: 0.5, to: 0.5 } });
    expect(moved({ 1: { from: 0.4, to: 0.5 } }, 1, 'to', -3)).toEqual({ 1: { from: 0.4, to: 0.4 } });
  });
  it('draw the best strongest, whatever the direction', () => {
    const line = (number: number, value: number): Line => ({ number, value, shares: [] });
    const ten = Array.from({ length: 10 }, (_, index) => line(index, index));
    expect(ranked(ten, 'maximize').at(-1)?.map((one) => one.number)).toEqual([8, 9]);
    expect(ranked(ten, 'minimize').at(-1)?.map((one) => one.number)).toEqual([1, 0]);
    expect(ranked([line(0, 1)], 'maximize').flat()).toHaveLength(1);
    expect(bestOf(data, 'minimize', 1).map((one) => one.number)).toEqual([0]);
    expect(bestOf(data, 'maximize', 2).map((one) => one.number)).toEqual([2, 1]);
  });
  it('interrupt a line where a parameter is missing', () => {
    const at = { x: (index: number) => index, y: (share: number) => share };
    expect(linePath({ number: 0, value: 0, shares: [0, null, 1, 1] }, at.x, at.y)).toBe('M0.0 0.0M2.0 1.0L3.0 1.0');
  });
});

describe('the line of intermediate values', () => {
  const reports = (...pairs: [number, number | null][]) => pairs.map(([step, value]) => ({ step, value }));
  it('has a gap where a report is no number, and a dot for a lone one', () => {
    expect(sparkline(reports([0, 1], [1, 2], [2, null], [3, 4]), 96, 22)).toMatch(/^M2\.0 20\.0h0L[\d.]+ [\d.]+M94\.0 2\.0h0$/);
    expect(sparkline(reports([5, 1]), 96, 22)).toBe('M48.0 11.0h0');
    expect(sparkline([], 96, 22)).toBe('');
  });
});

describe('polling', () => {
  const study = (state: StudySummary['state']): StudySummary => ({ state }) as StudySummary;
  it('is quick while something runs or nobody knows', () => {
    expect(pollingMs([study('idle'), study('running')])).toBe(5000);
    expect(pollingMs([study('finished')])).toBe(30_000);
    expect(pollingMs([])).toBe(30_000);
    expect(pollingMs(null)).toBe(5000);
  });
});

describe('the words of studies', () => {
  it('name the same parts, objectives and states in both languages', () => {
    for (const key of ['parts', 'objectives', 'states', 'trialStates', 'directions'] as const) {
      expect(Object.keys(studyEn[key]).sort()).toEqual(Object.keys(studyTr[key]).sort());
    }
  });
});
