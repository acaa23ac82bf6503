/** Every address of the app. An address that is not here shows the "not found" page. */
export type Route =
  | { name: 'root' }
  | { name: 'symbol'; symbol: string }
  | { name: 'market'; part: MarketPart }
  | { name: 'screener' }
  | { name: 'models'; version: string | null }
  | { name: 'record' }
  | { name: 'portfolio' }
  | { name: 'orders' }
  | { name: 'studies'; study: string | null }
  | { name: 'jobs'; run: number | null }
  | { name: 'experiments'; experiment: string | null }
  | { name: 'quality'; symbol: string | null; code: string | null }
  | { name: 'about' }
  | { name: 'login' }
  | { name: 'code' }
  | { name: 'invitation' }
  | { name: 'enrol' }
  | { name: 'settings'; part: SettingsPart }
  | { name: 'admin'; part: AdminPart; id: string | null }
  | { name: 'unknown'; path: string };

export const MARKET_PARTS = ['overview', 'scenario'] as const;
export type MarketPart = (typeof MARKET_PARTS)[number];
export const SETTINGS_PARTS = ['security', 'keys', 'preferences', 'alerts'] as const;
export type SettingsPart = (typeof SETTINGS_PARTS)[number];
export const ADMIN_PARTS = ['overview', 'usage', 'activity', 'limits', 'errors', 'users', 'keys', 'audit', 'trading', 'backups'] as const;
export type AdminPart = (typeof ADMIN_PARTS)[number];

/** A ticker as the server knows it; the rule of `Symbol::parse`. */
const SYMBOL = /^[A-Z0-9]{1,12}$/;
/** The number of a run of a job. */
const RUN = /^[0-9]{1,9}$/;
/** The name of a group of errors for programs. */
const GROUP = /^[a-z0-9]{1,32}$/;
/** The code of a kind of finding. */
const FINDING_CODE = /^[a-z_]{1,40}$/;

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export function parseRoute(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const [head, tail] = parts;
  const [, , third] = parts;
  if (parts.length > (head === 'quality' || (head === 'admin' && tail === 'errors') ? 3 : 2)) return { name: 'unknown', path };
  const argument = tail === undefined ? null : decoded(tail);
  if (tail !== undefined && argument === null) return { name: 'unknown', path };
  // Never toLocaleUpperCase: under Turkish rules ISCTR would become İSCTR.
  const symbol = argument?.toUpperCase() ?? null;
  if (head === undefined) return { name: 'root' };
  if (head === 's' && symbol !== null && SYMBOL.test(symbol)) return { name: 'symbol', symbol };
  if (head === 'market') {
    const part = MARKET_PARTS.find((one) => one === (argument ?? 'overview'));
    if (part !== undefined) return { name: 'market', part };
  }
  if (head === 'screener' && argument === null) return { name: 'screener' };
  if (head === 'models') return { name: 'models', version: argument };
  if (head === 'record' && argument === null) return { name: 'record' };
  if ((head === 'portfolio' || head === 'orders') && argument === null) return { name: head };
  if (head === 'studies') return { name: 'studies', study: argument };
  if (head === 'jobs' && (argument === null || RUN.test(argument))) return { name: 'jobs', run: argument === null ? null : Number(argument) };
  if (head === 'experiments') return { name: 'experiments', experiment: argument };
  if (head === 'quality' && (symbol === null || SYMBOL.test(symbol)) && (third === undefined || FINDING_CODE.test(third))) {
    return { name: 'quality', symbol, code: third ?? null };
  }
  if (head === 'about' && argument === null) return { name: 'about' };
  if (head === 'login' && argument === null) return { name: 'login' };
  if (head === 'login' && argument === 'code') return { name: 'code' };
  if ((head === 'invitation' || head === 'enrol') && argument === null) return { name: head };
  if (head === 'settings') {
    const part = SETTINGS_PARTS.find((one) => one === (argument ?? 'security'));
    if (part !== undefined) return { name: 'settings', part };
  }
  if (head === 'admin') {
    const part = ADMIN_PARTS.find((one) => one === (argument ?? 'overview'));
    if (part !== undefined && (third === undefined || GROUP.test(third))) return { name: 'admin', part, id: third ?? null };
  }
  return { name: 'unknown', path };
}

export function symbolPath(symbol: string): string {
  return `/s/${encodeURIComponent(symbol)}`;
}

export function qualityPath(symbol: string): string {
  return `/quality/${encodeURIComponent(symbol)}`;
}

/** The findings of a symbol, all or of one kind. */
export function findingsPath(symbol: string, code: string | null): string {
  return code === null ? qualityPath(symbol) : `${qualityPath(symbol)}/${code}`;
}

export function modelPath(version: string): string {
  return `/models/${encodeURIComponent(version)}`;
}

/** `path` with the choices made on its page; null is none. */
export function withChoices(path: string, choices: Record<string, string | null>): string {
  const query = new URLSearchParams(Object.entries(choices).filter((choice): choice is [string, string] => choice[1] !== null));
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** The ticket of orders, filled in as far as something is chosen. */
export function ticketPath(choices: { portfolio?: string | null; symbol?: string | null; side?: string | null }): string {
  return withChoices('/orders', { portfolio: null, symbol: null, side: null, ...choices });
}

export function jobPath(run: number): string {
  return `/jobs/${run}`;
}

/** The overview is the page that the address of administration shows by itself. */
export function adminPath(part: AdminPart): string {
  return part === 'overview' ? '/admin' : `/admin/${part}`;
}

export function errorPath(group: string): string {
  return `/admin/errors/${encodeURIComponent(group)}`;
}

export function studyPath(name: string): string {
  return `/studies/${encodeURIComponent(name)}`;
}

export function experimentPath(id: string): string {
  return `/experiments/${encodeURIComponent(id)}`;
}
