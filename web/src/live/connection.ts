import { toldPosition, type Envelope, type Position } from './envelope';
import { WAYS, type Opener, type OpenWay, type Way } from './ways';

/** How the stream stands. */
export type LiveState = { kind: 'idle' } | { kind: 'live'; way: Way } | { kind: 'reconnecting'; retryAt: number };

/** How long a way may take to say its first word, and to say another one. */
const FIRST_WORD_MS = 6000;
const SILENCE_MS = 45_000;
/** Waits before another try: doubled each time, up to the longest. */
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** How long it is until a better way than the one in use is tried. */
const BETTER_FIRST_MS = 10_000;
const BETTER_MAX_MS = 120_000;

/** What a connection takes from the world around it. */
export interface World {
  now(): number;
  /** A number from 0 up to and without 1. */
  random(): number;
}

/** A way that is tried or in use. */
interface Trial {
  way: Way;
  open: OpenWay | null;
  isHeard: boolean;
  watch: ReturnType<typeof setTimeout> | null;
}

/**
 * One stream for all that listen: by WebSocket, where that cannot be by server-sent events, where that
 * cannot be by asking again; and back to the better one as soon as it can be. Every change of the way
 * goes on at the number where the one before has ended, so that nothing is lost and nothing told twice.
 */
export class Connection {
  state: LiveState = { kind: 'idle' };
  #position: Position | null = null;
  #topics: string[] = [];
  #used: Trial | null = null;
  #tried: Trial | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  #betterTries = 0;
  readonly #openers: Record<Way, Opener>;
  readonly #tell: (envelope: Envelope) => void;
  readonly #changed: (state: LiveState) => void;
  readonly #world: World;

  constructor(
    openers: Record<Way, Opener>,
    tell: (envelope: Envelope) => void,
    changed: (state: LiveState) => void,
    world: World = { now: Date.now, random: Math.random },
  ) {
    this.#openers = openers;
    this.#tell = tell;
    this.#changed = changed;
    this.#world = world;
  }

  /** Listens to these topics; to none ends the stream. */
  listen(topics: string[]): void {
    this.#topics = topics;
    if (topics.length === 0) return this.close();
    if (this.state.kind === 'idle') {
      this.#failures = 0;
      this.#try(WAYS[0]);
      this.#become({ kind: 'reconnecting', retryAt: this.#world.now() });
      return;
    }
    this.#used?.open?.listen(topics);
    this.#tried?.open?.listen(topics);
  }

  /** Ends the stream. */
  close(): void {
    this.#drop(this.#used);
    this.#drop(this.#tried);
    this.#used = this.#tried = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#position = null;
    this.#become({ kind: 'idle' });
  }

  /** Tries again now, where that is waited for: the network is there again, or somebody looks. */
  retryNow(): void {
    if (this.state.kind === 'reconnecting' && this.#tried === null) this.#try(WAYS[0]);
  }

  #try(way: Way): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const trial: Trial = { way, open: null, isHeard: false, watch: null };
    this.#tried = trial;
    this.#watch(trial, FIRST_WORD_MS);
    trial.open = this.#openers[way](this.#topics, () => this.#position, {
      hear: (envelope) => this.#hear(trial, envelope),
      broke: () => this.#broke(trial),
    });
    // It may have broken while it was opened.
    if (this.#tried !== trial && this.#used !== trial) trial.open.close();
  }

  #hear(trial: Trial, envelope: Envelope): void {
    if (trial !== this.#used && trial !== this.#tried) return;
    // A greeting shows that the way is open, and says nothing of what was asked for.
    if (envelope.type === 'closing') return this.#broke(trial);
    this.#watch(trial, SILENCE_MS);
    if (!trial.isHeard && envelope.type !== 'hello') {
      trial.isHeard = true;
      this.#use(trial);
    }
    if (envelope.type === 'hello') return;
    this.#take(envelope);
  }

  /** Passes on what was not told yet. */
  #take(envelope: Envelope): void {
    if (envelope.type === 'update' || envelope.type === 'gone') {
      if (this.#position === null || envelope.seq <= this.#position.seq) return;
      this.#position = { ...this.#position, seq: envelope.seq };
    } else if (envelope.type === 'snapshot' || envelope.type === 'resumed' || envelope.type === 'heartbeat') {
      const told = toldPosition(envelope);
      const isBehind = told !== null && this.#position?.epoch === told.epoch && told.seq < this.#position.seq;
      if (told !== null && !isBehind) this.#position = told;
    }
    this.#tell(envelope);
  }

  /** Takes this way in the place of the one before. */
  #use(trial: Trial): void {
    this.#tried = null;
    if (this.#used !== trial) this.#drop(this.#used);
    this.#used = trial;
    this.#failures = 0;
    if (trial.way === WAYS[0]) this.#betterTries = 0;
    else this.#tryBetterLater();
    this.#become({ kind: 'live', way: trial.way });
  }

  #tryBetterLater(): void {
    const wait = Math.min(BETTER_FIRST_MS * 2 ** this.#betterTries, BETTER_MAX_MS);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#betterTries += 1;
      this.#try(WAYS[0]);
    }, this.#jittered(wait));
  }

  #broke(trial: Trial): void {
    if (trial === this.#used) {
      this.#drop(trial);
      this.#used = null;
      if (this.#tried === null) this.#retryLater();
    } else if (trial === this.#tried) {
      this.#drop(trial);
      this.#tried = null;
      const next = WAYS[WAYS.indexOf(trial.way) + 1];
      if (next === undefined) this.#retryLater();
      else if (next === this.#used?.way) this.#tryBetterLater();
      else this.#try(next);
    }
  }

  #retryLater(): void {
    const wait = this.#jittered(Math.min(RETRY_FIRST_MS * 2 ** this.#failures, RETRY_MAX_MS));
    this.#failures += 1;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#try(WAYS[0]), wait);
    this.#become({ kind: 'reconnecting', retryAt: this.#world.now() + wait });
  }

  /** Half of `ms` to all of it, so that not everybody comes back at once. */
  #jittered(ms: number): number {
    return ms * (0.5 + this.#world.random() / 2);
  }

  #watch(trial: Trial, ms: number): void {
    if (trial.watch !== null) clearTimeout(trial.watch);
    trial.watch = setTimeout(() => this.#broke(trial), ms);
  }

  #drop(trial: Trial | null): void {
    if (trial === null) return;
    if (trial.watch !== null) clearTimeout(trial.watch);
    trial.open?.close();
  }

  #become(state: LiveState): void {
    this.state = state;
    this.#changed(state);
  }
}
