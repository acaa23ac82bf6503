/** What a person does on the pages; sign-ins and alerts the server sees itself. */
export interface Done {
  kind: 'view' | 'search' | 'export';
  /** A symbol, or the path of the page that a file was made on; never what was typed. */
  subject: string;
}

/** What is done within this time is told together. */
const PAUSE_MS = 3000;

/** Tells what was done calmly: the same once, after a pause, or at once when the page is left. */
export class Activity {
  #waiting: Done[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly send: (done: Done) => void) {}

  add(done: Done): void {
    if (this.#waiting.some(({ kind, subject }) => kind === done.kind && subject === done.subject)) return;
    this.#waiting.push(done);
    this.#timer ??= setTimeout(() => this.flush(), PAUSE_MS);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const done of this.#waiting.splice(0)) this.send(done);
  }
}
