import { get, path, post, remove } from './client';
import type { Invited, Proof, SecondFactorSetup, Session, SessionEntry, SignIn } from './schema/access';
import type { Page } from './schema/vocabulary';

interface RecoveryCodes {
  recovery_codes: string[];
}

export function session(): Promise<Session> {
  return get<Session>(path('/auth/session'));
}

export function signIn(user_name: string, password: string): Promise<Session> {
  return post<Session>(path('/auth/login'), { user_name, password });
}

export function signOut(): Promise<void> {
  return post<void>(path('/auth/logout'), {});
}

export function verify(proof: Proof): Promise<Session> {
  return post<Session>(path('/auth/2fa/verify'), proof);
}

/** A fresh code for what asks for one. */
export function stepUp(proof: Proof): Promise<Session> {
  return post<Session>(path('/auth/step-up'), proof);
}

export function setUpSecondFactor(): Promise<SecondFactorSetup> {
  return post<SecondFactorSetup>(path('/auth/2fa/setup'), {});
}

export function confirmSecondFactor(code: string): Promise<RecoveryCodes> {
  return post<RecoveryCodes>(path('/auth/2fa/confirm'), { code });
}

export function disableSecondFactor(password: string, code: string): Promise<Session> {
  return post<Session>(path('/auth/2fa/disable'), { password, code });
}

export function newRecoveryCodes(): Promise<RecoveryCodes> {
  return post<RecoveryCodes>(path('/auth/recovery-codes'), {});
}

export function changePassword(current_password: string, new_password: string): Promise<Session> {
  return post<Session>(path('/auth/password'), { current_password, new_password });
}

export function sessions(signal?: AbortSignal): Promise<Page<SessionEntry>> {
  return get<Page<SessionEntry>>(path('/auth/sessions'), signal);
}

export function endSession(id: string): Promise<void> {
  return remove<void>(path(`/auth/sessions/${encodeURIComponent(id)}`));
}

export function endOtherSessions(): Promise<{ ended_count: number }> {
  return remove(path('/auth/sessions'));
}

/** The newest sign-ins of who asks, also those that were refused. */
export function signIns(signal?: AbortSignal): Promise<Page<SignIn>> {
  return get<Page<SignIn>>(path('/auth/history'), signal);
}

export function invited(token: string): Promise<Invited> {
  return post<Invited>(path('/auth/invitation/check'), { token });
}

export function acceptInvitation(token: string, password: string): Promise<Session> {
  return post<Session>(path('/auth/invitation'), { token, password });
}
