import { itemsOf, type Envelope } from './envelope';

/** What has come since the last frame: the newest of each topic, whatever happened in between. */
export class Snapshot {
  #news = new Map<string, Envelope>();
  #isAsked = false;
  readonly #flush: (news: Map<string, Envelope>) => void;
  readonly #frame: (work: () => void) => void;

  constructor(flush: (news: Map<string, Envelope>) => void, frame: (work: () => void) => void) {
    this.#flush = flush;
    this.#frame = frame;
  }

  /** Takes an envelope in; those who listen hear of it once a frame. */
  take(envelope: Envelope): void {
    const items = envelope.type === 'snapshot' ? itemsOf(envelope) : [envelope];
    for (const item of items) {
      if (item.type === 'update' || item.type === 'gone') this.#news.set(item.topic, item);
    }
    if (this.#news.size === 0 || this.#isAsked) return;
    this.#isAsked = true;
    this.#frame(() => {
      this.#isAsked = false;
      const news = this.#news;
      this.#news = new Map();
      this.#flush(news);
    });
  }
}
