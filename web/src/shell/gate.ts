import type { Session } from '../api/schema/access';
import { parseRoute, withChoices, type Route } from '../routes';

/** The pages that are shown without the rest of the app around them. */
const GATE_NAMES = ['login', 'code', 'invitation', 'enrol'] as const;
export type GateName = (typeof GATE_NAMES)[number];

export function gateName(route: Route): GateName | null {
  return GATE_NAMES.find((name) => name === route.name) ?? null;
}

const withReturn = (path: string, here: string): string => withChoices(path, { next: here === '/' ? null : here });
/** The page of sign-in that leads back to `here`. */
export const signInPath = (here: string): string => withReturn('/login', here);
export const enrolPath = (here: string): string => withReturn('/enrol', here);

/**
 * Where the address asks to go on to. Only a page of this app is followed: anything else, another
 * origin in whatever disguise included, leads to the start page.
 */
export function returnPath(search: string): string {
  const wanted = new URLSearchParams(search).get('next') ?? '/';
  // Backslashes, tabs and line feeds are what browsers read as slashes or leave out.
  if (!/^\/(?![/\\])[^\\\s]*$/.test(wanted)) return '/';
  const { pathname, search: choices, origin } = new URL(wanted, 'http://here');
  const route = parseRoute(pathname);
  if (origin !== 'http://here' || route.name === 'unknown' || gateName(route) !== null) return '/';
  return pathname + choices;
}

/** Where the address leads instead, because of who asks; null where it may stay. */
export function redirection(session: Session | null, pathname: string, search: string): string | null {
  const route = parseRoute(pathname);
  const here = pathname + search;
  // A link of an invitation is for somebody else, perhaps.
  if (route.name === 'invitation') return null;
  const isAtDoor = route.name === 'login' || route.name === 'code';
  const next = isAtDoor || route.name === 'enrol' ? returnPath(search) : here;
  if (session === null) return route.name === 'login' ? null : signInPath(next);
  if (session.stage === 'second_factor') return route.name === 'code' ? null : withReturn('/login/code', next);
  if (session.stage === 'enrolment' && (isAtDoor || route.name === 'admin')) return enrolPath(next);
  return isAtDoor ? next : null;
}
