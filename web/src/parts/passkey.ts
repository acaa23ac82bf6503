// The browser's part of passkeys: what it makes and signs, as the server reads it.
import { ApiError } from '../api/client';
import type { Session } from '../api/schema/access';

/** What a browser made or signed, in JSON. */
export type PasskeyAnswer = Record<string, unknown>;

/** Whether this browser can use passkeys on this page, which is one of those that they are made for. */
export function passkeysWork(session: Session | null | undefined, hostname: string = location.hostname): boolean {
  const host = session?.second_factor.passkey_host ?? null;
  return host !== null && hostname === host && typeof PublicKeyCredential === 'function';
}

const toBytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const toText = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** `PublicKeyCredential.parseCreationOptionsFromJSON`, where the browser has none. */
export function readCreation(options: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptions {
  return {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: options.excludeCredentials?.map((known) => ({ type: 'public-key', id: toBytes(known.id) })),
  } as PublicKeyCredentialCreationOptions;
}

/** `PublicKeyCredential.parseRequestOptionsFromJSON`, where the browser has none. */
export function readRequest(options: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  return {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: options.allowCredentials?.map((known) => ({ type: 'public-key', id: toBytes(known.id) })),
  } as PublicKeyCredentialRequestOptions;
}

/** `toJSON` of a credential, where the browser has none. */
export function written({ rawId, response }: PublicKeyCredential): PasskeyAnswer {
  const parts = response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  const names = 'signature' in parts ? (['authenticatorData', 'clientDataJSON', 'signature'] as const) : (['attestationObject', 'clientDataJSON'] as const);
  return { rawId: toText(rawId), response: Object.fromEntries(names.map((name) => [name, toText(parts[name])])) };
}

/** What the browser answers; that its reader gave up is a problem like any other. */
async function answered(ask: () => Promise<Credential | null>): Promise<PasskeyAnswer> {
  try {
    const credential = (await ask()) as PublicKeyCredential | null;
    if (credential === null) throw new ApiError('passkey_cancelled', 0, 'no passkey was used', null, null);
    return typeof credential.toJSON === 'function' ? (credential.toJSON() as unknown as PasskeyAnswer) : written(credential);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const code = error.name === 'InvalidStateError' ? 'passkey_known' : 'passkey_cancelled';
    throw new ApiError(code, 0, 'no passkey was used', null, null);
  }
}

/** Makes the passkey that the server asks for. */
export function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<PasskeyAnswer> {
  const parse = PublicKeyCredential.parseCreationOptionsFromJSON?.bind(PublicKeyCredential) ?? readCreation;
  return answered(() => navigator.credentials.create({ publicKey: parse(options) }));
}

/** Signs what the server asks for. */
export function signWithPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<PasskeyAnswer> {
  const parse = PublicKeyCredential.parseRequestOptionsFromJSON?.bind(PublicKeyCredential) ?? readRequest;
  return answered(() => navigator.credentials.get({ publicKey: parse(options) }));
}
