import type { UserSettings } from './api/schema/personal';
import type { Horizon } from './api/schema/vocabulary';
import { getDictionary, type Dictionary, type Language } from './i18n/dictionary';

export type Theme = 'dark' | 'light';
export type Palette = 'classic' | 'cvd';

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that forbids storage still gets the setting until the page is left.
  }
}

/** What the reader chose. `public/boot.js` has already put it on the root element. */
class Settings {
  language = $state<Language>('tr');
  theme = $state<Theme>('dark');
  palette = $state<Palette>('classic');
  /** The horizon that pages show first. */
  horizon = $state<Horizon>('5');
  /** From which size on a change stands out. */
  highlight = $state(Infinity);
  /** Below which probability of its direction a signal is shown as uncertain. */
  confidence = $state(0);
  /** Single-key shortcuts can be switched off (WCAG 2.1.4). */
  singleKeys = $state(true);

  constructor() {
    const root = document.documentElement;
    this.language = root.lang === 'en' ? 'en' : 'tr';
    this.theme = root.dataset.theme === 'light' ? 'light' : 'dark';
    this.palette = root.dataset.palette === 'cvd' ? 'cvd' : 'classic';
    this.singleKeys = stored('bist.keys') !== 'off';
  }

  get words(): Dictionary {
    return getDictionary(this.language);
  }

  setLanguage(language: Language): void {
    this.language = language;
    document.documentElement.lang = language;
    store('bist.lang', language);
  }

  toggleTheme(): void {
    this.theme = this.theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = this.theme;
    store('bist.theme', this.theme);
  }

  togglePalette(): void {
    this.palette = this.palette === 'cvd' ? 'classic' : 'cvd';
    if (this.palette === 'cvd') document.documentElement.dataset.palette = 'cvd';
    else delete document.documentElement.dataset.palette;
    store('bist.palette', this.palette);
  }

  /** What is kept with the account takes the place of what this browser has. */
  apply({ language, theme, palette, horizon, highlight_change_share, confidence_share_min }: UserSettings): void {
    if (this.language !== language) this.setLanguage(language);
    if (this.theme !== theme) this.toggleTheme();
    if (this.palette !== palette) this.togglePalette();
    this.horizon = horizon;
    this.highlight = highlight_change_share;
    this.confidence = confidence_share_min;
  }

  setSingleKeys(on: boolean): void {
    this.singleKeys = on;
    store('bist.keys', on ? 'on' : 'off');
  }
}

export const settings = new Settings();
