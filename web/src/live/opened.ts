import { getLivePage } from '../api/live';
import { Connection, type LiveState } from './connection';
import type { Envelope } from './envelope';
import { byEvents, byPolling, bySocket } from './ways';

/** The scheme of WebSockets that goes with that of the page. */
const socketUrl = (): string => `${location.origin.replace(/^http/, 'ws')}/api/v1/live`;

/** The connection of this tab, which tries again at once when the network or the reader comes back. */
export function opened(take: (envelope: Envelope) => void, tell: (state: LiveState) => void): Connection {
  const openers = { socket: bySocket(socketUrl()), events: byEvents(), poll: byPolling(getLivePage) };
  const connection = new Connection(openers, take, tell);
  addEventListener('online', () => connection.retryNow());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') connection.retryNow();
  });
  return connection;
}
