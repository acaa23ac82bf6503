import { get, path, patch, post, remove } from './client';
import type { InvitedUser, Role, User } from './schema/access';
import type { Page } from './schema/vocabulary';

const userPath = (id: string, part = ''): string => path(`/users/${encodeURIComponent(id)}${part}`);

export async function users(signal?: AbortSignal): Promise<User[]> {
  const { items } = await get<Page<User>>(path('/users'), signal);
  return items;
}

export function invite(user_name: string, role: Role): Promise<InvitedUser> {
  return post<InvitedUser>(path('/users'), { user_name, role });
}

export function changeUser(id: string, wanted: { role: Role } | { disabled: boolean }): Promise<User> {
  return patch<User>(userPath(id), wanted);
}

/** Takes password and sessions away and gives a link for another password. */
export function resetUser(id: string): Promise<InvitedUser> {
  return post<InvitedUser>(userPath(id, '/reset'), {});
}

/** Takes the second factor away, of which a person has lost all ways. */
export function removeSecondFactor(id: string): Promise<User> {
  return remove<User>(userPath(id, '/second-factor'));
}

/** Ends all sessions of a person. */
export function signUserOut(id: string): Promise<{ ended_count: number }> {
  return remove<{ ended_count: number }>(userPath(id, '/sessions'));
}

export function eraseUser(id: string): Promise<void> {
  return remove<void>(userPath(id));
}

/** All that is kept about a person. */
export function exportUser(id: string): Promise<unknown> {
  return get<unknown>(userPath(id, '/export'));
}
