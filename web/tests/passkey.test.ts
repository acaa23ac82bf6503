import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import type { Session } from '../src/api/schema/access';
import { makePasskey, passkeysWork, readCreation, readRequest, signWithPasskey, written } from '../src/parts/passkey';

const buffer = (...bytes: number[]): ArrayBuffer => Uint8Array.from(bytes).buffer;
const bytes = (source: BufferSource): number[] => [...new Uint8Array(source as ArrayBuffer)];
const session = (passkey_host: string | null): Session => ({ second_factor: { passkey_host } }) as Session;
/** `+/` and `=` of plain base64 are `-_` and nothing here. */
const ODD = [251, 255, 190, 0];
const ODD_TEXT = '-_--AA';

const CREATION: PublicKeyCredentialCreationOptionsJSON = {
  rp: { name: 'BIST AI Smart Trader', id: 'localhost' },
  user: { id: 'AAE', name: 'ayse', displayName: 'ayse' },
  challenge: ODD_TEXT,
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  excludeCredentials: [{ type: 'public-key', id: 'AgM' }],
};

afterEach(() => vi.unstubAllGlobals());

describe('passkeys', () => {
  it('work on the page that they are made for, in a browser that has them', () => {
    expect(passkeysWork(session('localhost'), 'localhost')).toBe(false);
    vi.stubGlobal('PublicKeyCredential', class {});
    expect(passkeysWork(session('localhost'), 'localhost')).toBe(true);
    expect(passkeysWork(session('bist.example'), 'localhost')).toBe(false);
    expect(passkeysWork(session(null), '127.0.0.1')).toBe(false);
    expect(passkeysWork(null, 'localhost')).toBe(false);
  });

  it('are asked for in bytes where the browser reads no JSON', () => {
    const creation = readCreation(CREATION);
    expect(bytes(creation.challenge)).toEqual(ODD);
    expect(bytes(creation.user.id)).toEqual([0, 1]);
    expect(creation.excludeCredentials?.map(({ id }) => bytes(id))).toEqual([[2, 3]]);
    expect(creation.rp).toEqual(CREATION.rp);
    const request = readRequest({ challenge: ODD_TEXT, rpId: 'localhost', allowCredentials: [{ type: 'public-key', id: 'AgM' }] });
    expect([bytes(request.challenge), request.rpId, request.allowCredentials?.map(({ id }) => bytes(id))]).toEqual([ODD, 'localhost', [[2, 3]]]);
  });

  it('answer in JSON where the browser writes none', () => {
    const made = { rawId: buffer(...ODD), response: { attestationObject: buffer(1), clientDataJSON: buffer(2) } };
    expect(written(made as unknown as PublicKeyCredential)).toEqual({ rawId: ODD_TEXT, response: { attestationObject: 'AQ', clientDataJSON: 'Ag' } });
    const signed = { rawId: buffer(0), response: { authenticatorData: buffer(1), clientDataJSON: buffer(2), signature: buffer(3) } };
    expect(written(signed as unknown as PublicKeyCredential)).toEqual({ rawId: 'AA', response: { authenticatorData: 'AQ', clientDataJSON: 'Ag', signature: 'Aw' } });
  });

  it('that the reader does not use are a problem like any other', async () => {
    vi.stubGlobal('PublicKeyCredential', class {});
    const refuse = (name: string) => () => Promise.reject(new DOMException('', name));
    const credentials = { create: refuse('InvalidStateError'), get: refuse('NotAllowedError') };
    vi.stubGlobal('navigator', { credentials });
    await expect(makePasskey(CREATION)).rejects.toMatchObject({ code: 'passkey_known' });
    await expect(signWithPasskey({ challenge: ODD_TEXT })).rejects.toMatchObject({ code: 'passkey_cancelled' });
    vi.stubGlobal('navigator', { credentials: { get: () => Promise.resolve(null) } });
    await expect(signWithPasskey({ challenge: ODD_TEXT })).rejects.toBeInstanceOf(ApiError);
  });
});
