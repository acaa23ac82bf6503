import type { Language } from './dictionary';
import { day, lira, number, percent, price, signedPercent } from './format';

/** Prices of findings are whole numbers of this part of a lira. */
export const UNITS_PER_LIRA = 10_000;

/** The numbers that the server names beside a code, each in the language of the reader. */
export class NamedNumbers {
  readonly language: Language;
  protected readonly values: Record<string, unknown>;

  constructor(language: Language, values: Record<string, unknown>) {
    this.language = language;
    this.values = values;
  }

  /** The number of this name; null when there is none. */
  value(name: string): number | null {
    const value = this.values[name];
    return typeof value === 'number' ? value : null;
  }

  /** The text of this name, as it came; empty when there is none. */
  text(name: string): string {
    const value = this.values[name];
    return typeof value === 'string' ? value : '';
  }

  /** The texts of a list. */
  texts(name: string): string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** The numbers of what stands under this name. */
  below(name: string): NamedNumbers {
    const value = this.values[name];
    return new NamedNumbers(this.language, typeof value === 'object' && value !== null ? { ...value } : {});
  }

  is(name: string): boolean {
    return this.values[name] === true;
  }

  signed(name: string): string {
    return signedPercent(this.language, this.value(name));
  }

  share(name: string): string {
    return percent(this.language, this.value(name));
  }

  count(name: string): string {
    return number(this.language, this.value(name));
  }

  decimal(name: string, digits: number): string {
    return number(this.language, this.value(name), digits);
  }

  /** A count without its sign. */
  magnitude(name: string): string {
    const value = this.value(name);
    return number(this.language, value === null ? null : Math.abs(value));
  }

  day(name: string): string {
    return day(this.language, this.text(name));
  }

  /** A decimal string or a number of lira, without its sign of money. */
  price(name: string): string {
    const value = this.values[name];
    return price(this.language, typeof value === 'string' || typeof value === 'number' ? value : null);
  }

  /** Lira that came as a number of lira. */
  lira(name: string): string {
    return lira(this.language, this.value(name));
  }

  /** Lira that came as a whole number of 0.0001 TRY. */
  units(name: string): string {
    const units = this.value(name);
    return lira(this.language, units === null ? null : units / UNITS_PER_LIRA);
  }
}
