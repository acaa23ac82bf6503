import * as api from './api/access';
import { ApiError, keepGate } from './api/client';
import { ROLES, type Role, type Session } from './api/schema/access';
import { router } from './router.svelte';
import { enrolPath, signInPath } from './shell/gate';

/** What the tabs of one browser tell each other. */
type Message = 'signed_out' | 'changed';

const here = (): string => location.pathname + location.search;

/** Who reads the page. Nothing of a session outlives it: leaving loads the page anew. */
class Account {
  /** Null while nobody is signed in; undefined while that is not known yet. */
  session = $state.raw<Session | null | undefined>(undefined);
  /** Why it is not known. */
  problem = $state.raw<ApiError | null>(null);
  /** What the reader is asked for before a request is made again; null while nothing is. */
  asked = $state<'proof' | 'enrolment' | null>(null);
  #tabs = new BroadcastChannel('bist.account');
  #proof: Promise<boolean> | null = null;
  #answer: ((isGiven: boolean) => void) | null = null;
  #isLeaving = false;

  constructor() {
    this.#tabs.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data === 'changed') void this.load({ isElsewhere: true });
      else if (this.session) this.#leave(signInPath(here()));
    };
    // A page that the browser kept as it was may be that of somebody who has signed out since.
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
    keepGate({
      csrfToken: () => this.session?.csrf_token ?? null,
      lead: (code) => this.#lead(code),
      stepUp: () => this.#stepUp(),
      renew: async () => {
        const before = this.session?.csrf_token;
        await this.load();
        return this.session?.csrf_token !== before;
      },
    });
  }

  get role(): Role | null {
    return this.session?.account.role ?? null;
  }

  /** Whether the role is as much as `needed`; the server decides all the same. */
  may(needed: Role): boolean {
    return this.role !== null && ROLES.indexOf(this.role) >= ROLES.indexOf(needed);
  }

  load = async ({ isElsewhere } = { isElsewhere: false }): Promise<void> => {
    this.problem = null;
    try {
      const session = await api.session();
      // Codes are given and second factors enrolled in the tab in which that was begun; this one waits for the end.
      if (isElsewhere && !this.session && session.stage !== 'full') return;
      // Somebody else has signed in, in another tab: nothing of the one before may stay.
      if (this.session && this.session.account.id !== session.account.id) this.#leave(here());
      else this.session = session;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code !== 'not_signed_in') {
        if (this.session === undefined) this.problem = error;
      } else if (!this.session) this.session = null;
    }
  };

  /** The session as it is after a change of it; the other tabs hear of it. */
  take(session: Session): void {
    this.session = session;
    this.#tabs.postMessage('changed' satisfies Message);
  }

  /** As {@link take}, where the answer to the change was something else. */
  async renew(): Promise<void> {
    await this.load();
    this.#tabs.postMessage('changed' satisfies Message);
  }

  async signOut(): Promise<void> {
    try {
      await api.signOut();
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'not_signed_in') throw error;
    }
    this.#tabs.postMessage('signed_out' satisfies Message);
    this.#leave('/login');
  }

  /** Ends the asking for a fresh proof. */
  answer(isGiven: boolean): void {
    this.asked = null;
    this.#answer?.(isGiven);
  }

  /** All who need a fresh proof at the same time wait for the same one. */
  #stepUp(): Promise<boolean> {
    this.#proof ??= new Promise<boolean>((resolve) => {
      this.asked = 'proof';
      this.#answer = resolve;
    }).finally(() => (this.#proof = null));
    return this.#proof;
  }

  #lead(code: 'not_signed_in' | 'second_factor_required' | 'enrolment_required'): void {
    if (!this.session) return;
    if (code === 'not_signed_in') this.#leave(signInPath(here()));
    else if (code === 'enrolment_required' && this.session.stage === 'enrolment') router.go(enrolPath(here()), 'replace');
    // What was typed into a form stays there while it is told what has to be done first.
    else if (code === 'enrolment_required') this.asked = 'enrolment';
    else void this.load();
  }

  #leave(to: string): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    location.replace(to);
  }
}

export const account = new Account();
