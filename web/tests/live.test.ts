import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { calmly } from '../src/live/calmly';
import { Connection, type LiveState } from '../src/live/connection';
import { covers, readPosition, writePosition, type Envelope, type Position } from '../src/live/envelope';
import { Snapshot } from '../src/live/snapshot';
import { byPolling, type Hearer, type Opener, type Way } from '../src/live/ways';

const EPOCH = '0123456789abcdef';
const at = (seq: number): Position => ({ epoch: EPOCH, seq });
const about = (type: Envelope['type'], seq: number, data: object = {}): Envelope => ({
  seq, type, topic: 'stream', at: '', data: { position: writePosition(at(seq)), ...data },
});
const update = (seq: number, topic = 'prices/THYAO'): Envelope => ({ seq, type: 'update', topic, at: '', data: {} });

/** A way as the test plays it. */
interface Played {
  way: Way;
  topics: string[];
  since: Position | null;
  hearer: Hearer;
  isClosed: boolean;
}

class Stage {
  readonly opened: Played[] = [];
  readonly told: Envelope[] = [];
  readonly states: LiveState[] = [];
  readonly connection: Connection;

  constructor() {
    const opener = (way: Way): Opener => (topics, since, hearer) => {
      const played: Played = { way, topics, since: since(), hearer, isClosed: false };
      this.opened.push(played);
      return { listen: (next) => void (played.topics = next), close: () => void (played.isClosed = true) };
    };
    this.connection = new Connection(
      { socket: opener('socket'), events: opener('events'), poll: opener('poll') },
      (envelope) => this.told.push(envelope),
      (state) => this.states.push(state),
      { now: () => Date.now(), random: () => 1 },
    );
  }

  get last(): Played {
    const last = this.opened.at(-1);
    if (last === undefined) throw new Error('nothing was opened');
    return last;
  }
  get seqs(): number[] {
    return this.told.filter((envelope) => envelope.type === 'update').map((envelope) => envelope.seq);
  }
  /** The way that was opened last says its first word. */
  answer(seq: number): void {
    this.last.hearer.hear(this.last.since === null ? about('snapshot', seq, { items: [] }) : about('resumed', this.last.since.seq));
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the connection', () => {
  it('is one WebSocket, and says so', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    expect(stage.connection.state.kind).toBe('reconnecting');
    stage.last.hearer.hear(about('hello', 4));
    expect(stage.connection.state.kind).toBe('reconnecting');
    stage.answer(4);
    expect(stage.connection.state).toEqual({ kind: 'live', way: 'socket' });
    stage.connection.listen(['jobs', 'prices']);
    expect(stage.opened).toHaveLength(1);
    expect(stage.last.topics).toEqual(['jobs', 'prices']);
    stage.connection.listen([]);
    expect(stage.last.isClosed).toBe(true);
    expect(stage.connection.state.kind).toBe('idle');
  });

  it('goes on after a cut where it was, and tells nothing twice', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    stage.answer(4);
    stage.last.hearer.hear(update(5));
    stage.last.hearer.hear(update(6));
    stage.last.hearer.broke();
    expect(stage.connection.state.kind).toBe('reconnecting');
    vi.advanceTimersByTime(1000);
    expect(stage.last.since).toEqual(at(6));
    stage.answer(6);
    for (const seq of [6, 7, 8]) stage.last.hearer.hear(update(seq));
    expect(stage.seqs).toEqual([5, 6, 7, 8]);
  });

  it('moves to events, then to polling, and back by itself without a gap', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    stage.last.hearer.broke();
    expect(stage.last.way).toBe('events');
    stage.answer(4);
    expect(stage.connection.state).toEqual({ kind: 'live', way: 'events' });
    stage.last.hearer.hear(update(5));
    stage.last.hearer.broke();
    vi.advanceTimersByTime(1000);
    stage.last.hearer.broke();
    stage.last.hearer.broke();
    expect(stage.last).toMatchObject({ way: 'poll', since: at(5) });
    stage.answer(5);
    expect(stage.connection.state).toEqual({ kind: 'live', way: 'poll' });
    const poll = stage.last;
    poll.hearer.hear(update(6));
    // The better way is tried while the other one goes on.
    vi.advanceTimersByTime(10_000);
    expect(stage.last.way).toBe('socket');
    poll.hearer.hear(update(7));
    expect(poll.isClosed).toBe(false);
    stage.last.hearer.hear(about('resumed', 6));
    expect(poll.isClosed).toBe(true);
    for (const seq of [7, 8]) stage.last.hearer.hear(update(seq));
    poll.hearer.hear(update(9));
    expect(stage.seqs).toEqual([5, 6, 7, 8]);
    expect(stage.connection.state).toEqual({ kind: 'live', way: 'socket' });
  });

  it('stays where it is while the better way is still shut', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    stage.last.hearer.broke();
    stage.answer(4);
    const events = stage.last;
    vi.advanceTimersByTime(20_000);
    expect(stage.last.way).toBe('socket');
    stage.last.hearer.broke();
    expect(stage.opened).toHaveLength(3);
    expect(stage.connection.state).toEqual({ kind: 'live', way: 'events' });
    events.hearer.hear(update(5));
    expect(stage.seqs).toEqual([5]);
  });

  it('waits longer each time while nothing works, and not at all when the network is there again', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    const fail = (): void => [0, 1, 2].forEach(() => stage.last.hearer.broke());
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      fail();
      const { state } = stage.connection;
      if (state.kind !== 'reconnecting') throw new Error(state.kind);
      const wait = state.retryAt - Date.now();
      waits.push(wait);
      vi.advanceTimersByTime(wait);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    fail();
    const tries = stage.opened.length;
    stage.connection.retryNow();
    expect(stage.opened).toHaveLength(tries + 1);
  });

  it('takes silence for a cut', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    vi.advanceTimersByTime(6000);
    expect(stage.opened[0]?.isClosed).toBe(true);
    expect(stage.last.way).toBe('events');
    stage.answer(4);
    vi.advanceTimersByTime(60_000);
    expect(stage.opened.filter(({ way }) => way === 'events').length).toBeGreaterThan(1);
  });

  it('begins anew in another life of the server', () => {
    const stage = new Stage();
    stage.connection.listen(['prices']);
    stage.answer(40);
    stage.last.hearer.broke();
    vi.advanceTimersByTime(1000);
    const other = { ...about('snapshot', 2), data: { position: 'fedcba9876543210-2', reason: 'other_epoch', items: [] } };
    stage.last.hearer.hear(other);
    stage.last.hearer.hear(update(3));
    expect(stage.seqs).toEqual([3]);
  });
});

describe('polling', () => {
  it('asks from the position that was told, and ends when it is closed', async () => {
    const asked: string[] = [];
    const ask = (path: string): Promise<{ position: string; items: Envelope[] }> => {
      asked.push(path);
      return Promise.resolve({ position: writePosition(at(7)), items: [] });
    };
    const hear = vi.fn();
    const way = byPolling(ask)(['prices'], () => null, { hear, broke: vi.fn() });
    await vi.advanceTimersByTimeAsync(0);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(2);
    expect(asked[0]).not.toContain('since');
    // Who has not heard yet that this way is open does not wait for something to happen.
    expect(asked[0]).toContain('wait=0');
    expect(asked[1]).toContain('wait=20');
    expect(asked[1]).toContain(`since=${EPOCH}-7`);
    way.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
  });
});

describe('what has come', () => {
  it('is told once a frame, the newest of each topic', () => {
    const frames: (() => void)[] = [];
    const flushed: Map<string, Envelope>[] = [];
    const snapshot = new Snapshot((news) => flushed.push(news), (work) => frames.push(work));
    snapshot.take(about('snapshot', 2, { items: [update(1), update(2, 'quality')] }));
    snapshot.take(update(3));
    snapshot.take(about('heartbeat', 3));
    expect(frames).toHaveLength(1);
    frames[0]?.();
    expect(flushed.map((news) => [...news.values()].map(({ seq }) => seq))).toEqual([[3, 2]]);
    snapshot.take(update(4));
    expect(frames).toHaveLength(2);
  });
  it('is read by its topic and its place', () => {
    expect(covers('prices', 'prices/THYAO')).toBe(true);
    expect(covers('prices/THY', 'prices/THYAO')).toBe(false);
    expect(readPosition(`${EPOCH}-42`)).toEqual(at(42));
    expect(readPosition('42')).toBeNull();
  });
  it('makes nothing be done more often than is good', () => {
    const work = vi.fn();
    const often = calmly(work, 2000);
    for (let call = 0; call < 5; call += 1) often();
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(2000);
    expect(work).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(60_000);
    expect(work).toHaveBeenCalledTimes(2);
  });
});
