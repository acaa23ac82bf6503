// What fails on a page, as it is told to the server: without what anybody has typed, and without choices of an address.

export interface Fault {
  message: string;
  place: string;
  stack?: string;
  page?: string;
}

const MESSAGE_MAX = 300;
const STACK_MAX = 2000;
/** So many are told in a minute; a page that fails in a loop fails each time in the same way. */
const TOLD_MAX = 5;
const MINUTE_MS = 60_000;
/** More is not looked through. */
const READ_MAX = 4000;
/** A shorter text is found everywhere. */
const TYPED_MIN = 3;
/** What a browser says of a layout that it goes on with in its next frame. */
const HARMLESS = /^ResizeObserver loop/;
const OF_EXTENSION = /(?:chrome|moz|safari-web)-extension:\/\//;

/** `text` without what was typed, queries and fragments of addresses, quoted contents, mail addresses and what may be a token. */
export function scrubbed(text: string, origin: string, typed: string[]): string {
  let plain = text.slice(0, READ_MAX);
  for (const value of typed) if (value.trim().length >= TYPED_MIN) plain = plain.replaceAll(value, '…');
  return plain
    .replace(/((?:https?|wss?|blob:https?):\/\/[^\s?#"')]*)[?#][^\s"')]*/g, '$1')
    .replace(/(\/[^\s?#"')]*)[?#][^\s"')]*/g, '$1')
    .replaceAll(origin, '')
    .replace(/"[^"]*"/g, '"…"')
    .replace(/[^\s@"'<>()]+@[^\s@"'<>()]+\.[^\s@"'<>()]+/g, '…')
    .replace(/(?<![\w/-])[A-Za-z0-9_+-]{32,}(?![\w/.-])/g, '…');
}

/** What was thrown; null where that is no failure of the page. */
export function faultOf(thrown: unknown, here: { pathname: string; origin: string; typed: string[] }): Fault | null {
  const isError = thrown instanceof Error;
  const said = isError ? `${thrown.name}: ${thrown.message}` : typeof thrown === 'string' ? thrown : Object.prototype.toString.call(thrown);
  const trace = isError ? (thrown.stack ?? '') : '';
  // A request that was given up because a newer one took its place has not failed.
  if ((isError && thrown.name === 'AbortError') || HARMLESS.test(said) || OF_EXTENSION.test(trace)) return null;
  const clean = (text: string): string => scrubbed(text, here.origin, here.typed);
  const frames = trace.split('\n').map((line) => line.trim()).filter((line) => /:\d+:\d+\)?$/.test(line));
  const place = /(\/[^\s()]*:\d+:\d+)\)?$/.exec(clean(frames[0] ?? ''))?.[1] ?? here.pathname;
  const stack = clean(frames.join('\n')).slice(0, STACK_MAX);
  return { message: clean(said).slice(0, MESSAGE_MAX), place, page: here.pathname, ...(stack === '' ? {} : { stack }) };
}

/** Tells each fault once, and few at a time. */
export class Faults {
  readonly #told = new Set<string>();
  #times: number[] = [];

  constructor(
    private readonly tell: (fault: Fault) => void,
    private readonly now: () => number = Date.now,
  ) {}

  take(fault: Fault): void {
    const name = `${fault.place} ${fault.message}`;
    const at = this.now();
    this.#times = this.#times.filter((time) => at - time < MINUTE_MS);
    if (this.#told.has(name) || this.#times.length >= TOLD_MAX) return;
    this.#told.add(name);
    this.#times.push(at);
    this.tell(fault);
  }
}
