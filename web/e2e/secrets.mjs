// What must be in no log: what the journeys typed, what they were shown once, and what let them in.
import { readFileSync } from 'node:fs';

/** Members of what a page sends, or is answered, that are secrets or about a person. */
const SENT = new Set(['password', 'new_password', 'current_password', 'code', 'recovery_code', 'token', 'address']);
const ANSWERED = new Set(['token', 'secret', 'csrf_token', 'otpauth_uri', 'recovery_codes']);
/** Paths that speak of them. */
const SPEAKS = /\/api\/v1\/(auth|users|api-keys|alerts)\b/;
const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
/** Shorter ones are found everywhere. */
const LENGTH_MIN = 6;

const known = new Map();

/** Remembers `value`, which is called `name` when it is found. */
export function mustBeNowhere(name, value) {
  if (typeof value === 'string' && value.length >= LENGTH_MIN) known.set(value, name);
}

function remember(document, names) {
  for (const [name, value] of Object.entries(document ?? {})) {
    const values = Array.isArray(value) ? value : [value];
    for (const one of values) {
      if (typeof one === 'object' && one !== null) remember(one, names);
      else if (names.has(name)) mustBeNowhere(name, one);
    }
  }
}

/** Remembers the secrets of whatever `page` says and hears. */
export function watchSecrets(page) {
  page.on('request', (request) => {
    if (!SPEAKS.test(request.url())) return;
    const sent = request.postData() ?? '';
    for (const [mail] of sent.matchAll(MAIL)) mustBeNowhere('e-mail address', mail);
    // A body that is no document was meant to be none.
    try {
      remember(JSON.parse(sent), SENT);
    } catch {}
    const csrf = request.headers()['x-csrf-token'];
    mustBeNowhere('x-csrf-token', csrf);
  });
  page.on('response', async (response) => {
    if (!SPEAKS.test(response.url())) return;
    // Of a page that is gone nothing can be asked.
    try {
      const cookie = (await response.allHeaders())['set-cookie'] ?? '';
      mustBeNowhere('cookie', cookie.split(';')[0].split('=')[1]);
      if (response.ok()) remember(await response.json(), ANSWERED);
    } catch {}
  });
}

/** How many there are, and those of them that are in the file `log`, by what they are called. */
export function secretsIn(log) {
  const text = readFileSync(log, 'utf8');
  const isIn = (secret) =>
    // Six digits are found within other numbers.
    /^\d+$/.test(secret) ? new RegExp(`(?<![\\w.])${secret}(?!\\w)`).test(text) : text.includes(secret);
  const found = [...known].filter(([secret]) => isIn(secret)).map(([, name]) => name);
  return { count: known.size, found };
}
