import { account } from './account.svelte';
import { tell } from './api/telling';
import { faultOf, Faults } from './faults';

const faults = new Faults((fault) => tell('/errors', fault));
/** Who reads the page is known soon after it is opened, or never. */
const LOOKS_MAX = 20;
const LOOK_MS = 500;

function typed(): string[] {
  return [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('input, textarea')].map(({ value }) => value);
}

/** Tells the server of a failure of the page, when somebody has signed in. */
export async function report(thrown: unknown): Promise<void> {
  const fault = faultOf(thrown, { pathname: location.pathname, origin: location.origin, typed: typed() });
  if (fault === null) return;
  for (let looks = 0; looks < LOOKS_MAX && account.session === undefined; looks += 1) await new Promise((done) => setTimeout(done, LOOK_MS));
  if (account.session) faults.take(fault);
}
