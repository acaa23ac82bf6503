// What every check needs: the options, a page that records what a browser can complain about, and the
// inspection that each page has to pass.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { watchSecrets } from './secrets.mjs';

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
export const BASE = (option('base') ?? process.env.BIST_E2E_BASE ?? '').replace(/\/$/, '');
/** The link by which the first administrator sets a password, without the base. */
export const INVITATION = option('invitation') ?? '';
export const OUT = option('out') ?? 'e2e-out';
/** What the server logs meanwhile. */
export const LOG = option('log');
/** The address of a server itself, where BASE is that of a proxy before it. */
export const DIRECT = process.env.BIST_E2E_DIRECT ?? BASE;
/** Only what depends on the data. */
export const DATA_ONLY = process.argv.includes('--data-only');
const HAS_FEW_LOOKS = option('looks') === 'few';
if (BASE === '') {
  console.error('no server to test: give --base http://127.0.0.1:PORT or set BIST_E2E_BASE');
  process.exit(2);
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const CHROMIUM = process.env.BIST_CHROMIUM ?? '/usr/bin/chromium';
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const LANGUAGES = ['tr', 'en'];
/**
 * How each page is looked at: any two of theme, language and width meet in one of these, so that a
 * defect that takes two of them is found by half as many visits as all combinations need.
 */
export const LOOKS = HAS_FEW_LOOKS
  ? LANGUAGES.map((language) => ({ theme: 'dark', language, width: 1440 }))
  : [390, 900, 1440].flatMap((width, index) =>
      ['dark', 'light'].map((theme, at) => ({ theme, language: LANGUAGES[(index + at) % 2], width })),
    );
const HEIGHT = { 390: 844, 900: 1000, 1440: 900 };
export const WAIT_MS = 20_000;
export const SAMPLE_WORD = { tr: 'ÖRNEK', en: 'SAMPLE' };

export const failures = [];
let checks = 0;
export const checksCount = () => checks;
export function check(holds, what) {
  checks += 1;
  if (!holds) {
    failures.push(what);
    console.error(`FAILED ${what}`);
  }
}

export const percentTr = (share, digits) =>
  new Intl.NumberFormat('tr-TR', { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);
export const numberTr = (value) => new Intl.NumberFormat('tr-TR').format(value);
export const modelPath = (model) => `/models/${encodeURIComponent(model.version)}`;

/** The cookies of whoever has signed in for all journeys. */
let cookies = [];
/** From now on every page and every question to the API is that of who is signed in in `context`. */
export async function keepSession(context) {
  cookies = await context.cookies();
}

/** The kept session as `answer` opens it from now on. */
export function keepToken(answer) {
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=');
    cookies = cookies.map((cookie) => (cookie.name === name ? { ...cookie, value } : cookie));
  }
}

/** What the server answers to who is signed in. */
export const ask = (path, { headers, ...request } = {}) =>
  fetch(`${BASE}${path}`, { ...request, headers: { ...headers, cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') } });

export async function api(path) {
  const response = await ask(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** Does `tasks`, which do not change what another one sees, as many at once as this machine has processors. */
export async function together(tasks) {
  const waiting = [...tasks];
  const lane = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}

/** What the account has kept would take the place of the language and the theme that a journey asks for. */
const NOTHING_KEPT = {
  revision: 0,
  updated_at: null,
  settings: { language: 'tr', theme: 'dark', palette: 'classic', highlight_change_share: 1, confidence_share_min: 0.5, horizon: '5', channels: ['web'] },
};

/** A page that records everything a browser can complain about; signed in, unless it is to be `anonymous`. Only with `kept` it has the settings of the account. */
export async function openPage(browser, { theme = 'dark', language = 'tr', width = 1440, anonymous = false, kept = false, ...context } = {}) {
  const storageState = { cookies: anonymous ? [] : cookies, origins: [] };
  const opened = await browser.newContext({ viewport: { width, height: HEIGHT[width] ?? 900 }, storageState, ...context });
  const page = await opened.newPage();
  if (!kept) await page.route('**/api/v1/settings', (route) => route.fulfill({ json: { ...NOTHING_KEPT, ...route.request().postDataJSON() } }));
  watchSecrets(page);
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('requestfailed', (request) => {
    // A request that the app gave up because a newer one replaced it is no defect.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') complaints.push(`request failed: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  await page.addInitScript(
    ([wantedTheme, wantedLanguage]) => {
      if (localStorage.getItem('bist.theme') === null) {
        localStorage.setItem('bist.theme', wantedTheme);
        localStorage.setItem('bist.lang', wantedLanguage);
      }
      window.policyViolations = [];
      document.addEventListener('securitypolicyviolation', (event) => {
        window.policyViolations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`);
      });
    },
    [theme, language],
  );
  return {
    page,
    complaints,
    async close() {
      await opened.close();
    },
  };
}

export async function visit(page, path, selector, base = BASE) {
  await page.goto(`${base}${path}`, { waitUntil: 'commit' });
  await page.waitForSelector(selector, { timeout: WAIT_MS });
  await settled(page);
}

/** Nothing is loading any more, and the fonts are there. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null, undefined, { timeout: WAIT_MS });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));
}

export async function inspect(page, complaints, where, { axe = true } = {}) {
  const violations = await page.evaluate(() => window.policyViolations);
  check(violations.length === 0, `${where}: the policy was violated: ${violations.join('; ')}`);
  check(complaints.length === 0, `${where}: ${complaints.join('; ')}`);
  complaints.length = 0;
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(overflow <= 0, `${where}: the page is ${overflow} px wider than the window`);
  if (!axe) return;
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const isSize = (violation) => violation.id === 'target-size';
    let { violations } = await window.axe.run(document, { runOnly: tags });
    if (violations.some(isSize)) {
      // What a bar that stays covers in part may count as too small, by how far the page is scrolled; a button
      // that is too small is so at the top of the page too.
      window.scrollTo(0, 0);
      const again = await window.axe.run(document, { runOnly: ['target-size'] });
      violations = [...violations.filter((violation) => !isSize(violation)), ...again.violations];
    }
    return violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`);
  }, AXE_TAGS);
  check(found.length === 0, `${where}: accessibility: ${found.join(' | ')}`);
}

/** Looks at the page as it stands in every theme, language and width; a page that has lost its state cannot be visited anew. */
export async function inspectLooks(page, complaints, name) {
  const before = page.viewportSize();
  const { theme: themeBefore, lang } = await page.evaluate(() => ({ theme: document.documentElement.dataset.theme, lang: document.documentElement.lang }));
  const set = async (theme, language, size) => {
    await page.setViewportSize(size);
    // The attribute is all that a theme is. A window above the page covers the choice of language, and a press on it is one all the same.
    await page.evaluate(([wanted, tongue]) => {
      document.documentElement.dataset.theme = wanted;
      document.querySelector(`button[lang="${tongue}"]`).click();
    }, [theme, language]);
    await settled(page);
  };
  for (const { theme, language, width } of LOOKS) {
    await set(theme, language, { width, height: HEIGHT[width] });
    const where = `${name} ${theme} ${language} ${width}`;
    await inspect(page, complaints, where);
    await page.screenshot({ path: join(OUT, `${where.replaceAll(' ', '-')}.png`), fullPage: true });
  }
  await set(themeBefore, lang, before);
}

/** An answer that tells of a failure inside, as the server gives it. */
export function failure(requestId) {
  const problem = { type: 'about:blank', title: 'internal error', status: 500, detail: null, code: 'internal', request_id: requestId };
  return { status: 500, contentType: 'application/problem+json', body: JSON.stringify(problem) };
}
