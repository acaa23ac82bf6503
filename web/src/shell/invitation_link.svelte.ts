/** The token of the link that was opened. It leaves the address at once, so that no history keeps it. */
class InvitationLink {
  token = $state<string | null>(null);

  constructor() {
    this.#take();
    addEventListener('hashchange', () => this.#take());
  }

  #take(): void {
    if (location.pathname !== '/invitation' || location.hash.length < 2) return;
    this.token = location.hash.slice(1);
    history.replaceState(null, '', '/invitation');
  }
}

export const invitationLink = new InvitationLink();
