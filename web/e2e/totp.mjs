// One-time codes as an authenticator app makes them: RFC 6238 with SHA-1, 30 s and 6 digits.
import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_MS = 30_000;

function bytes(base32) {
  const bits = [...base32].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

function codeOf(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', bytes(secret)).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** The last step of which a code was given, by secret: each code works once. */
const used = new Map();

/** A code that was not given yet; the one of the next step works a little early, so that this waits little. */
export async function freshCode(secret) {
  const wanted = Math.max(Math.floor(Date.now() / STEP_MS), (used.get(secret) ?? 0) + 1);
  used.set(secret, wanted);
  const early = (wanted - 1) * STEP_MS + 500;
  if (early > Date.now()) await new Promise((done) => setTimeout(done, early - Date.now()));
  return codeOf(secret, wanted);
}
