import type { Connection, LiveState } from './connection';
import { covers, type Envelope } from './envelope';
import { Snapshot } from './snapshot';

/** What somebody hears of the topics they follow, at most once a frame. */
type Hear = (news: Envelope[]) => void;

/** The stream of this tab, which all pages share. */
class Live {
  state = $state.raw<LiveState>({ kind: 'idle' });
  /** When something was heard last; null before anything was. */
  heardAt = $state.raw<Date | null>(null);
  /** Whether prices are those of a replay. */
  isReplay = $state(false);
  readonly #followers = new Set<{ topics: string[]; hear: Hear }>();
  readonly #snapshot = new Snapshot(
    (news) => this.#flush(news),
    // Frames do not come to a page that nobody looks at; what has gathered is told when somebody does.
    (work) => void requestAnimationFrame(work),
  );
  #connection: Connection | null = null;
  #isOpening = false;

  /** Whether nothing comes any more, by whatever way. */
  get isCut(): boolean {
    return this.state.kind === 'reconnecting' && this.heardAt !== null;
  }

  /** Hears of these topics until the returned function is called. */
  follow(topics: string[], hear: Hear): () => void {
    const follower = { topics, hear };
    this.#followers.add(follower);
    this.#listen();
    return () => {
      this.#followers.delete(follower);
      this.#listen();
    };
  }

  #listen(): void {
    const topics = [...new Set([...this.#followers].flatMap((follower) => follower.topics))].sort();
    if (this.#connection !== null) this.#connection.listen(topics);
    else if (topics.length > 0) void this.#open();
  }

  /** What listens is fetched once somebody follows something, so that a page is shown before it. */
  async #open(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    try {
      const { opened } = await import('./opened');
      this.#connection = opened((envelope) => this.#take(envelope), (state) => (this.state = state));
      this.#listen();
    } finally {
      this.#isOpening = false;
    }
  }

  #take(envelope: Envelope): void {
    this.heardAt = new Date();
    this.#snapshot.take(envelope);
  }

  #flush(news: Map<string, Envelope>): void {
    const all = [...news.values()];
    const price = all.find((envelope) => envelope.topic.startsWith('prices/'));
    if (price !== undefined) this.isReplay = price.replay === true;
    for (const { topics, hear } of this.#followers) {
      const wanted = all.filter((envelope) => topics.some((topic) => covers(topic, envelope.topic)));
      if (wanted.length > 0) hear(wanted);
    }
  }
}

export const live = new Live();
