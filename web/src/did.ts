import { Activity, type Done } from './activity';
import { tell } from './api/telling';

const activity = new Activity((done) => tell('/activity', done));
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') activity.flush();
});
addEventListener('pagehide', () => activity.flush());

/** Remembers what was done on the pages, to be told. */
export const did = (kind: Done['kind'], subject: string): void => activity.add({ kind, subject });
