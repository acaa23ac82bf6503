/** How long to wait between two polls, in milliseconds. */
export const POLL_MS = 2000;

/** What the live stream tells; the guide of the API has the table (docs/API.md). */
export interface Envelope {
  seq: number;
  type: 'update' | 'gone' | 'hello' | 'snapshot' | 'resumed' | 'conflated' | 'heartbeat' | 'unsubscribed' | 'error' | 'closing';
  topic: string;
  replay?: boolean;
  at: string;
  data: unknown;
}

/** The price of a symbol as the stream tells it. */
export interface LivePrice {
  symbol: string;
  as_of: string | null;
  last_close: string | null;
  previous_close: string | null;
  change_share: number | null;
  /** When it was the price: at the end of the session, or when a live source says; null while sessions are replayed. */
  priced_at: string | null;
  /** Seconds from then to the event. */
  age_s: number | null;
  /** Whether it is older than it should be; null when that is not known. */
  stale: boolean | null;
  /** Which live source says so; null for what is stored or replayed. */
  live_source: string | null;
  /** The time of the session in Istanbul, while stored sessions are replayed. */
  replay_time: string | null;
}

/** The answer to a poll. */
export interface LivePage {
  position: string;
  items: Envelope[];
}

/** How far one has come: a life of the server, and a number in it. */
export interface Position {
  epoch: string;
  seq: number;
}

export function readPosition(text: string): Position | null {
  const parts = /^([0-9a-f]{16})-(\d+)$/.exec(text);
  return parts === null ? null : { epoch: parts[1] ?? '', seq: Number(parts[2]) };
}

export const writePosition = ({ epoch, seq }: Position): string => `${epoch}-${seq}`;

/** The position that an envelope about the stream itself tells. */
export function toldPosition(envelope: Envelope): Position | null {
  const told = (envelope.data as { position?: unknown } | null)?.position;
  return typeof told === 'string' ? readPosition(told) : null;
}

/** The envelopes of a snapshot. */
export const itemsOf = (envelope: Envelope): Envelope[] => (envelope.data as { items: Envelope[] }).items;

/** Whether what is told of `topic` is wanted by somebody who wants `wanted`. */
export const covers = (wanted: string, topic: string): boolean => topic === wanted || topic.startsWith(`${wanted}/`);
