import { POLL_MS, readPosition, writePosition, type Envelope, type LivePage, type Position } from './envelope';

/** By what the stream comes, the best first. */
export const WAYS = ['socket', 'events', 'poll'] as const;
export type Way = (typeof WAYS)[number];

/** What a way tells whoever opened it. */
export interface Hearer {
  hear(envelope: Envelope): void;
  /** The way has ended, or never began. */
  broke(): void;
}

/** A way that is open. */
export interface OpenWay {
  /** Listens to these topics from now on. */
  listen(topics: string[]): void;
  close(): void;
}

/** Opens a way, from `since` on where that can be. */
export type Opener = (topics: string[], since: () => Position | null, hearer: Hearer) => OpenWay;

/** How long the server may keep a poll waiting, in seconds. */
const POLL_WAIT_S = 20;

const BASE = '/api/v1/live';

/** By WebSocket: topics may change while it is open. */
export function bySocket(url: string, make: (url: string) => WebSocket = (address) => new WebSocket(address)): Opener {
  return (topics, since, hearer) => {
    const socket = make(url);
    let wanted = topics;
    let isOver = false;
    const say = (request: object): void => socket.send(JSON.stringify(request));
    socket.onmessage = ({ data }) => {
      if (isOver) return;
      const envelope = JSON.parse(String(data)) as Envelope;
      if (envelope.type === 'hello') {
        const position = since();
        say(position === null ? { op: 'subscribe', topics: wanted } : { op: 'resume', position: writePosition(position), topics: wanted });
      }
      hearer.hear(envelope);
    };
    socket.onclose = () => {
      if (!isOver) hearer.broke();
    };
    return {
      listen(next) {
        const [more, less] = [next.filter((topic) => !wanted.includes(topic)), wanted.filter((topic) => !next.includes(topic))];
        wanted = next;
        // What is wanted before the greeting is asked for after it.
        if (socket.readyState !== 1) return;
        if (more.length > 0) say({ op: 'subscribe', topics: more });
        if (less.length > 0) say({ op: 'unsubscribe', topics: less });
      },
      close() {
        isOver = true;
        // Browsers complain of one that is closed while it is being opened.
        if (socket.readyState === 0) socket.onopen = () => socket.close(1000);
        else socket.close(1000);
      },
    };
  };
}

/** By server-sent events: other topics need another request. */
export function byEvents(make: (url: string) => EventSource = (address) => new EventSource(address)): Opener {
  return (topics, since, hearer) => {
    let source: EventSource;
    const open = (wanted: string[], from: Position | null): void => {
      const query = new URLSearchParams({ topics: wanted.join(',') });
      if (from !== null) query.set('since', writePosition(from));
      source = make(`${BASE}/events?${query}`);
      source.onmessage = ({ data }) => hearer.hear(JSON.parse(String(data)) as Envelope);
      // A browser would try again by itself; when and how is decided in one place.
      source.onerror = () => {
        source.close();
        hearer.broke();
      };
    };
    open(topics, since());
    return {
      listen(next) {
        source.close();
        open(next, null);
      },
      close: () => source.close(),
    };
  };
}

/** By asking again. */
export function byPolling(ask: (path: string) => Promise<LivePage>): Opener {
  return (topics, since, hearer) => {
    let wanted = topics;
    let position = since();
    let turn = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    /** The first question is answered at once, so that it is known whether this way is open. */
    let waitS = 0;
    const once = async (mine: number): Promise<void> => {
      const query = new URLSearchParams({ topics: wanted.join(','), wait: String(waitS) });
      if (position !== null) query.set('since', writePosition(position));
      try {
        const page = await ask(`${BASE}/poll?${query}`);
        if (mine !== turn) return;
        waitS = POLL_WAIT_S;
        page.items.forEach((envelope) => hearer.hear(envelope));
        position = readPosition(page.position);
        // That nothing has happened is worth knowing, too.
        if (position !== null) {
          hearer.hear({ seq: position.seq, type: 'heartbeat', topic: 'stream', at: '', data: { position: page.position } });
        }
        timer = setTimeout(() => void once(mine), POLL_MS);
      } catch {
        if (mine === turn) hearer.broke();
      }
    };
    void once(turn);
    return {
      listen(next) {
        wanted = next;
        position = null;
        turn += 1;
        if (timer !== null) clearTimeout(timer);
        void once(turn);
      },
      close() {
        turn += 1;
        if (timer !== null) clearTimeout(timer);
      },
    };
  };
}
