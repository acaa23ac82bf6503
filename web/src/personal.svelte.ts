import * as api from './api/personal';
import { ApiError } from './api/client';
import { Resource } from './api/resource.svelte';
import type { AlertPage, KeptSettings, UserSettings, Watchlist } from './api/schema/personal';
import { live } from './live/live.svelte';
import { settings } from './settings.svelte';

/** Alerts that the bell counts among; it needs the count alone. */
const BELL_ALERTS = 1;

/** What belongs to the reader, as it is on all their devices. */
class Personal {
  readonly lists = new Resource<Watchlist[]>();
  readonly alerts = new Resource<AlertPage>();
  kept = $state.raw<KeptSettings | null>(null);
  /** Counts what was told of rules, alerts and channels, for pages that show them. */
  changes = $state(0);
  #isKeeping = false;
  #isMissed = false;

  get unreadCount(): number {
    return this.alerts.value?.unread_count ?? 0;
  }

  start(): () => void {
    void this.lists.load('lists', api.watchlists);
    void this.alerts.load('bell', (signal) => api.alerts(BELL_ALERTS, null, signal));
    void this.#read();
    return live.follow(['watchlists', 'settings', 'alerts'], (news) => {
      for (const { topic, type } of news) {
        if (type !== 'update') continue;
        if (topic === 'watchlists') void this.lists.refresh();
        else if (topic === 'settings') void this.#read();
        else {
          this.changes += 1;
          void this.alerts.refresh();
        }
      }
    });
  }

  /** Keeps what the reader has just chosen on the page, one after the other, unless it is kept already. */
  async keepChoices(): Promise<void> {
    if (this.#isKeeping) return;
    this.#isKeeping = true;
    try {
      for (let kept = this.kept; kept !== null; kept = this.kept) {
        const { language, theme, palette } = settings;
        const before = kept.settings;
        if (before.language === language && before.theme === theme && before.palette === palette) break;
        // The page has it already, and perhaps something newer.
        this.kept = await api.changeSettings(kept.revision, { ...before, language, theme, palette });
      }
    } catch (error) {
      // Another device was quicker: what is kept holds. Anything else is tried at the next choice.
      if (!(error instanceof ApiError)) throw error;
      if (error.code === 'changed_meanwhile') this.#isMissed = true;
    } finally {
      this.#isKeeping = false;
    }
    if (this.#isMissed) await this.#read();
  }

  async keep(wanted: UserSettings): Promise<void> {
    this.#take(await api.changeSettings(this.kept?.revision ?? 0, wanted));
  }

  async #read(): Promise<void> {
    // What comes of the choice that is being kept is not another device's.
    this.#isMissed = this.#isKeeping;
    if (this.#isKeeping) return;
    try {
      const kept = await api.keptSettings();
      if (kept.revision === this.kept?.revision) return;
      if (kept.revision > 0) this.#take(kept);
      // Before anything was kept, what this browser has holds.
      else this.kept = { ...kept, settings: { ...kept.settings, language: settings.language, theme: settings.theme, palette: settings.palette } };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  #take(kept: KeptSettings): void {
    this.kept = kept;
    settings.apply(kept.settings);
  }
}

export const personal = new Personal();
