import { get, path, post, remove } from './client';
import type { Invited, Passkey, Proof, SecondFactorSetup, Session, SessionEntry, SignIn } from './schema/access';
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

/** A fresh proof for what asks for one: of the second factor, or the password where there is none. */
export function stepUp(proof: Proof | { password: string }): Promise<Session> {
  return post<Session>(path('/auth/step-up'), proof);
}

export function setUpSecondFactor(): Promise<SecondFactorSetup> {
  return post<SecondFactorSetup>(path('/auth/2fa/setup'), {});
}

export function confirmSecondFactor(code: string): Promise<RecoveryCodes> {
  return post<RecoveryCodes>(path('/auth/2fa/confirm'), { code });
}

export function disableSecondFactor(password: string, proof: { code: string } | { passkey: object }): Promise<Session> {
  return post<Session>(path('/auth/2fa/disable'), { password, ...proof });
}

export function passkeys(signal?: AbortSignal): Promise<Page<Passkey>> {
  return get<Page<Passkey>>(path('/auth/passkeys'), signal);
}

/** What the browser needs to make a passkey. */
export function askForPasskey(): Promise<{ public_key: PublicKeyCredentialCreationOptionsJSON }> {
  return post(path('/auth/passkeys/registration'), {});
}

export function addPasskey(name: string, credential: object): Promise<RecoveryCodes & { passkey: Passkey }> {
  return post(path('/auth/passkeys'), { name, credential });
}

export function removePasskey(id: string, password?: string): Promise<Session> {
  return post<Session>(path(`/auth/passkeys/${encodeURIComponent(id)}/remove`), { password });
}

/** What the browser needs to sign with a passkey. */
export function askForSignature(): Promise<{ public_key: PublicKeyCredentialRequestOptionsJSON }> {
  return post(path('/auth/passkeys/assertion'), {});
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
