// The pages of administration: what they show is what the API says, they are for administrators only, and
// what fails or is done on any page comes to them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptInvitation, at, forgive, stepUp, turnStale } from './access.mjs';
import { api, ask, check, failure, inspect, inspectLooks, keepSession, numberTr, openPage, OUT, percentTr, settled, visit, WAIT_MS } from './browser.mjs';

/** How often what the server writes now and then is looked for. */
const LOOK_MS = 250;
const MINUTE_MS = 60_000;

/** The pages, for those who look at every page. */
export const ADMIN_ROUTES = [
  { name: 'admin-overview', path: '/admin', selector: 'main [data-overview]' },
  { name: 'admin-usage', path: '/admin/usage', selector: 'main [data-usage], main .empty' },
  { name: 'admin-usage-person', path: '/admin/usage?by=account&window=hour', selector: 'main [data-usage], main .empty' },
  { name: 'admin-activity', path: '/admin/activity', selector: 'main [data-activities], main .empty' },
  { name: 'admin-limits', path: '/admin/limits?window=week', selector: 'main [data-policies]' },
  { name: 'admin-errors', path: '/admin/errors', selector: 'main [data-errors], main [data-no-errors]' },
  { name: 'admin-trading', path: '/admin/trading', selector: 'main [data-trading]' },
  { name: 'admin-backups', path: '/admin/backups', selector: '#restore-title' },
];

/** Asks `question` again until its answer is one that `isWanted`, which what the server writes by and by becomes. */
async function until(question, isWanted, what) {
  for (const late = Date.now() + WAIT_MS; Date.now() < late; await new Promise((done) => setTimeout(done, LOOK_MS))) {
    const answer = await question();
    if (isWanted(answer)) return answer;
  }
  throw new Error(`${what} did not come within ${WAIT_MS / 1000} s`);
}

const isAnswerTo = (path) => (response) => new URL(response.url()).pathname === `/api/v1${path}` && response.ok();

/** The hour up to the minute that has just begun: nothing is added to it but what is on its way. */
function pastHour() {
  const to = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  return `from=${new Date(to - 60 * MINUTE_MS).toISOString()}&to=${new Date(to).toISOString()}`;
}

/** Two questions about the same window, once nothing changes between them. */
async function still(first, second) {
  return until(
    async () => {
      const before = JSON.stringify(await first());
      const other = await second();
      return { first: JSON.parse(before), second: other, isStill: JSON.stringify(await first()) === before };
    },
    ({ isStill }) => isStill,
    'a moment in which nothing is counted',
  );
}

const figures = (overview) => ({
  requests: numberTr(overview.requests.count),
  errors: overview.errors.share === null ? '–' : percentTr(overview.errors.share, 2),
  people: numberTr(overview.people.active_count),
  refused: numberTr(overview.limits.refused_count),
});

/** The figures of the overview are those of the answer it was made of, and the answers of the API agree with each other. */
async function overviewAgrees(browser) {
  const { page, complaints, close } = await openPage(browser);
  try {
    const answer = page.waitForResponse(isAnswerTo('/admin/overview'), { timeout: WAIT_MS });
    await visit(page, '/admin?window=hour', 'main [data-overview]');
    const shown = await (await answer).json();
    for (const [name, text] of Object.entries(figures(shown))) {
      const kpi = await page.locator(`[data-kpi="${name}"] .value`).innerText();
      check(kpi === text, `overview: ${name} is ${kpi} and not ${text}`);
    }
    check((await page.locator('[data-endpoints] tbody tr').count()) === shown.endpoints.length, 'overview: not a row an endpoint');
    check((await page.locator('[data-standing]').count()) === 4, 'overview: jobs, backups, models or data are missing');
    check((await page.locator('[data-open-errors]').getAttribute('data-open-errors')) === String(shown.errors_open_count), 'overview: the open errors are not counted as the API does');
    await page.locator('[data-chart] details > summary').first().click();
    await page.waitForSelector('[data-chart] tbody tr', { timeout: WAIT_MS });
    check((await page.locator('[data-chart] tbody tr').count()) === shown.series.points.length, 'overview: the table beside the chart has not a row a point');
    await page.locator('[data-chart] [role="img"]').first().focus();
    await page.keyboard.press('Home');
    await inspect(page, complaints, 'overview, the table of its chart opened');
    await page.screenshot({ path: join(OUT, 'admin-overview-opened.png'), fullPage: true });

    await page.locator('[data-window] a').nth(2).press('Enter');
    await page.waitForSelector('[data-window="week"]', { timeout: WAIT_MS });
    await page.reload({ waitUntil: 'commit' });
    await page.waitForSelector('[data-window="week"]', { timeout: WAIT_MS });
    await page.locator('.tabs a[href="/admin/usage"]').press('Enter');
    await page.waitForSelector('[data-admin="usage"]', { timeout: WAIT_MS });
    await settled(page);
    await inspect(page, complaints, 'from the overview to the usage', { axe: false });

    const window = pastHour();
    const { first: overview, second: usage } = await still(() => api(`/api/v1/admin/overview?${window}`).then(({ as_of, ...rest }) => rest), () => api(`/api/v1/admin/api-usage?by=route&limit=1000&${window}`));
    check(overview.requests.count === usage.total.requests_count, `overview and usage count ${overview.requests.count} and ${usage.total.requests_count} requests`);
    check(overview.limits.refused_count === usage.total.refused_count, 'overview and usage count refused requests differently');
    const sum = usage.items.reduce((total, item) => total + item.requests_count, 0);
    check(usage.next !== null || sum === usage.total.requests_count, `the routes have ${sum} requests and the total ${usage.total.requests_count}`);
  } finally {
    await close();
  }
}

/** Rows of a file of RFC 4180 by the names of its columns. */
function csvRows(text) {
  const cells = (line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
  const [head, ...lines] = text.trim().split(/\r?\n/).map(cells);
  return lines.map((line) => Object.fromEntries(head.map((name, index) => [name, line[index]])));
}

const usageKey = ({ method, name, requests_count: count }) => `${method ?? ''} ${name} ${count}`;

/** The table of usage is the answer of the API, and the file has the same rows. */
async function usageAgrees(browser) {
  const { page, complaints, close } = await openPage(browser);
  try {
    const answer = page.waitForResponse(isAnswerTo('/admin/api-usage'), { timeout: WAIT_MS });
    await visit(page, '/admin/usage?window=hour', 'main [data-usage]');
    const { items, total, sketch_error: within } = await (await answer).json();
    check((await page.locator('[data-sketch-error]').innerText()).includes(percentTr(within, 0)), 'usage: how exact percentiles are is not told');
    const rows = page.locator('[data-usage] tbody tr');
    check((await rows.count()) === items.length, `usage: ${await rows.count()} rows for ${items.length} routes`);
    check((await page.locator('[data-total] [data-requests]').innerText()) === numberTr(total.requests_count), 'usage: the total is not that of the API');
    const most = items.reduce((best, item) => (item.requests_count > best.requests_count ? item : best));
    check((await rows.first().locator('[data-requests]').innerText()) === numberTr(most.requests_count), 'usage: the first row is not the one asked for most');
    await page.locator('[data-sort="name"]').press('Enter');
    await page.waitForSelector('th[aria-sort="ascending"] [data-sort="name"]', { timeout: WAIT_MS });
    const last = rows.last();
    const name = await last.getAttribute('data-row');
    await last.locator('button').press('Enter');
    await page.waitForSelector(`[data-usage-charts="${name}"] canvas`, { timeout: WAIT_MS });
    check((await page.locator('[data-usage-charts] canvas').count()) === 2, 'usage: a row has not one chart of requests and one of latency');
    await settled(page);
    await inspect(page, complaints, 'usage, a row chosen');
    await page.screenshot({ path: join(OUT, 'admin-usage-row.png'), fullPage: true });

    const [download] = await Promise.all([page.waitForEvent('download', { timeout: WAIT_MS }), page.locator('[data-csv]').click()]);
    const saved = csvRows(readFileSync(await download.path(), 'utf8'));
    check(saved.length >= items.length, `usage: the file has ${saved.length} rows and the table ${items.length}`);
    const window = pastHour();
    // When it was looked at is another moment each time.
    const rowsOfTable = async () => (await api(`/api/v1/admin/api-usage?by=route&limit=1000&${window}`)).items;
    const { first, second } = await still(rowsOfTable, async () => (await ask(`/api/v1/admin/api-usage.csv?by=route&${window}`)).text());
    const [wanted, found] = [first.map(usageKey).sort(), csvRows(second).map(usageKey).sort()];
    check(JSON.stringify(found) === JSON.stringify(wanted), `usage: the file and the table differ: ${found.find((row) => !wanted.includes(row))} and ${wanted.find((row) => !found.includes(row))}`);

    for (const by of ['account', 'key']) {
      await visit(page, `/admin/usage?by=${by}&window=hour`, `main [data-usage="${by}"]`);
      await page.waitForSelector('[data-usage-charts] canvas, [data-no-charts]', { timeout: WAIT_MS });
      await settled(page);
      await inspect(page, complaints, `usage by ${by}`);
    }
    await visit(page, '/admin/limits', 'main [data-policies]');
    const { policies } = await api('/api/v1/admin/rate-limits');
    check((await page.locator('[data-policies] tbody tr').count()) === policies.length, 'limits: not a row a limit');
  } finally {
    await close();
  }
}

/** What fails on a page is told once, listed, and dealt with. */
async function pageErrors(browser) {
  const { page, complaints, close } = await openPage(browser);
  const told = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/v1/errors' && request.method() === 'POST') told.push(request.postDataJSON());
  });
  const mark = `e2e failure ${Date.now().toString(36)}`;
  try {
    await visit(page, '/about?token=geheim', 'main .credits');
    const answer = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/v1/errors', { timeout: WAIT_MS });
    await page.evaluate((text) => {
      const fail = () => {
        throw new Error(`${text} at ${location.href}`);
      };
      setTimeout(fail);
      setTimeout(fail);
      // A promise that nobody waits for fails like anything else.
      void Promise.reject(new Error(`${text}, unhandled`));
    }, mark);
    check((await answer).status() === 202, `errors: what failed on a page is answered ${(await answer).status()}`);
    await until(async () => told, (list) => list.length >= 2, 'both failures');
    check(told.length === 2, `errors: two failures of a page are told ${told.length} times`);
    check(!JSON.stringify(told).includes('geheim'), 'errors: what is told has the query of an address');
    complaints.length = 0;

    const listed = await until(() => api('/api/v1/admin/errors?kind=page&limit=100'), ({ items }) => items.filter(({ title }) => title.includes(mark)).length === 2, 'both failures in the list');
    const group = listed.items.find(({ title }) => title.includes(mark) && !title.includes('unhandled'));
    await visit(page, '/admin/errors?kind=page', `[data-error="${group.id}"]`);
    await inspectLooks(page, complaints, 'admin-errors-listed');
    await page.locator(`[data-error="${group.id}"] a`).click();
    await page.waitForSelector('[data-events]', { timeout: WAIT_MS });
    const details = await api(`/api/v1/admin/errors/${encodeURIComponent(group.id)}`);
    check((await page.locator('[data-events] > li').count()) === details.events.length, 'errors: not every event is shown');
    check((await page.locator('[data-request-id]').count()) === details.events.filter(({ request_id: id }) => id !== null).length, 'errors: a request id is missing');
    await inspectLooks(page, complaints, 'admin-error');
    for (const state of ['resolved', 'open', 'muted', 'open', 'resolved']) {
      await page.locator(`[data-step="${state}"]`).click();
      await page.waitForSelector(`main [data-error-state="${state}"]`, { timeout: WAIT_MS });
      check((await api(`/api/v1/admin/errors/${encodeURIComponent(group.id)}`)).state === state, `errors: the group is not ${state}`);
    }
    // As an exemplar of a dashboard leads there.
    const { request_id: id } = details.events[0];
    await visit(page, `/admin/errors?request_id=${id}`, `[data-error="${group.id}"]`);
    check((await page.locator('[data-error]').count()) === 1, 'errors: others are shown than those of the request');
    await inspectLooks(page, complaints, 'admin-errors-of-request');
    await visit(page, '/admin/errors?request_id=nosuch', '[data-no-errors]');
    await page.locator('[data-of-request] button').click();
    await page.waitForSelector(`[data-error="${group.id}"]`, { timeout: WAIT_MS });
    await visit(page, '/admin/errors/nosuch', 'main [role="alert"]');
    forgive(complaints, 400, 404);
    await inspect(page, complaints, 'an error that is not there');
    check(told.length === 2, `errors: two failures of a page come to ${told.length}`);
  } finally {
    await close();
  }
}

/** A page that fails says so, is told of, and the rest goes on. */
async function failingPage(browser) {
  const { page, complaints, close } = await openPage(browser);
  try {
    await page.route('**/api/v1/admin/overview?**', (route) => route.fulfill({ json: {} }));
    const told = page.waitForRequest((request) => new URL(request.url()).pathname === '/api/v1/errors', { timeout: WAIT_MS });
    await visit(page, '/admin', '[data-page-failure]');
    check((await told).postDataJSON().page === '/admin', 'a page that fails is not told of');
    check((await page.locator('nav').count()) > 0, 'a page that fails takes the rest with it');
    await inspectLooks(page, complaints, 'page-failure');
    await page.unroute('**/api/v1/admin/overview?**');
    await page.locator('[data-page-failure] button').click();
    await page.waitForSelector('main [data-overview]', { timeout: WAIT_MS });
    await page.route('**/api/v1/admin/overview?**', (route) => route.fulfill(failure('e2e-admin')));
    await page.reload({ waitUntil: 'commit' });
    await page.waitForSelector('main [role="alert"]', { timeout: WAIT_MS });
    check((await page.locator('main [role="alert"]').innerText()).includes('e2e-admin'), 'overview: a failure does not show its request id');
  } finally {
    await close();
  }
}

/** Views and searches come to the list of activities, also those of who leaves at once. */
async function activities(browser) {
  const symbols = (await api('/api/v1/symbols?limit=1000')).items.map(({ symbol }) => symbol);
  const { page, complaints, close } = await openPage(browser);
  const told = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/v1/activity' && request.method() === 'POST') told.push(request.postDataJSON());
  });
  const [first, second] = symbols;
  const isTold = (kind, subject) => told.some((one) => one.kind === kind && one.subject === subject);
  try {
    await visit(page, `/s/${first}`, '.canvas canvas');
    await page.keyboard.press('Control+k');
    await page.waitForSelector('dialog[open] input:focus', { timeout: WAIT_MS });
    await page.keyboard.type(second);
    await page.keyboard.press('Enter');
    await at(page, `/s/${second}`);
    await until(async () => told, () => isTold('search', second) && isTold('view', first) && isTold('view', second), 'what was viewed and searched');
    check(told.every(({ kind, subject }) => ['view', 'search'].includes(kind) && symbols.includes(subject)), `activity: something else is told: ${JSON.stringify(told)}`);
    const since = new Date().toISOString();
    await page.keyboard.press('j');
    await page.waitForFunction((before) => location.pathname !== before, `/s/${second}`, { timeout: WAIT_MS });
    const third = (await page.evaluate(() => location.pathname)).slice('/s/'.length);
    await settled(page);
    // A browser tells nobody what a page sends while it is left; the server knows.
    await page.goto('about:blank', { waitUntil: 'commit' });
    const isThird = ({ at: when, subject }) => subject === third && when >= since;
    await until(() => api('/api/v1/admin/activity?kind=view&limit=50'), ({ items }) => items.some(isThird), 'what was viewed before the page was left');
    complaints.length = 0;

    const found = await until(() => api(`/api/v1/admin/activity?kind=search&limit=50`), ({ items }) => items.some(({ subject }) => subject === second), 'the search in the list');
    await visit(page, '/admin/activity', 'main [data-activities]');
    await page.locator('select[name="kind"]').selectOption('search');
    await at(page, '/admin/activity?kind=search');
    await page.waitForFunction((count) => document.querySelectorAll('[data-activities] tbody tr').length === count, found.items.length, { timeout: WAIT_MS });
    await settled(page);
    check((await page.locator('[data-activities] tbody').innerText()).includes(second), 'activity: the search is not in the table');
    await inspectLooks(page, complaints, 'admin-activity-search');
    const [download] = await Promise.all([page.waitForEvent('download', { timeout: WAIT_MS }), page.locator('[data-csv]').click()]);
    const saved = csvRows(readFileSync(await download.path(), 'utf8'));
    check(saved.length > 0 && saved.every(({ kind }) => kind === 'search'), 'activity: the file has other kinds than the table');
    check(saved.some(({ subject }) => subject === second), 'activity: the file lacks the search');
  } finally {
    await close();
  }
}

/** The moments that a shipped log has. */
const LOG = { from: '2026-11-28T06:00:00.25Z', to: '2026-11-30T08:00:00.5Z', looked_at: '2026-11-30T08:00:00.5Z' };

/** What the page of backups says is what the API says; how it looks with backups, and that a reason is asked for. */
async function backups(browser) {
  const kept = await api('/api/v1/admin/backups');
  const { page, complaints, close } = await openPage(browser);
  try {
    await visit(page, '/admin/backups', '#restore-title');
    const state = kept.is_enabled ? (kept.is_overdue ? 'overdue' : null) : 'off';
    check((await page.locator('[data-backups]').count()) === (state === null ? 0 : 1), 'backups: there is a notice that is none, or none that is one');
    if (state !== null) check((await page.locator(`[data-backups="${state}"]`).count()) === 1, `backups: the page does not say ${state}`);
    check((await page.locator('[data-backup]').count()) === kept.items.length, 'backups: not a row a backup');
    check((await page.locator('[data-create-backup]').count()) === (kept.is_enabled ? 1 : 0), 'backups: one can be asked for where none is made');
    const momentsCount = kept.is_enabled && kept.has_identity && kept.log !== null ? 1 : 0;
    check((await page.locator('[data-moments]').count()) === momentsCount, 'backups: moments can be gone back to where no log is shipped, or not where one is');
    await inspectLooks(page, complaints, 'backups');

    const [run] = (await api('/api/v1/jobs?limit=1')).items;
    const item = { name: 'bist-20261130T020000Z.bak', created_at: '2026-11-30T02:00:00Z', size_bytes: 9_000_000, sha256: 'ab', rows_count: 812_345, program_version: '0.1.0', missing_artifacts_count: 2, verified_at: '2026-11-29T05:00:00Z' };
    const asked = [];
    let log = null;
    await page.route('**/api/v1/admin/backups', (route) => {
      if (route.request().method() === 'GET') return route.fulfill({ json: { ...kept, log, items: [item, { ...item, name: 'b', verified_at: null, missing_artifacts_count: 0 }], is_enabled: true, is_overdue: true, has_identity: true } });
      asked.push(route.request().postDataJSON());
      return route.fulfill({ status: 202, json: run });
    });
    await visit(page, '/admin/backups', '[data-backup-list]');
    check((await page.locator('[data-backups="overdue"]').count()) === 1 && (await page.locator('[data-backup] .tag.warn').count()) === 1, 'backups: an overdue one, or a missing file, is not told');
    check((await page.locator('[data-moments]').count()) === 0, 'backups: moments can be gone back to where no log is shipped');
    log = LOG;
    await visit(page, '/admin/backups', '[data-moments]');
    await inspectLooks(page, complaints, 'backups-listed');
    await page.locator('[data-create-backup] button').click();
    check(asked.length === 0, 'backups: one was asked for without a reason');
    await page.locator('[data-create-backup] input').fill('a journey');
    await page.locator('[data-create-backup] button').click();
    await at(page, `/jobs/${run.id}`);
    check(JSON.stringify(asked) === '[{"reason":"a journey"}]', `backups: asked for with ${JSON.stringify(asked)}`);
  } finally {
    await close();
  }
}

/** Going back, to a backup or a moment, is typed and confirmed by a code, watched while the server is away, and told as it ended. */
async function goingBack(browser, owner) {
  const kept = await api('/api/v1/admin/backups');
  const item = { name: 'bist-20261130T020000Z.tar.zst.age', created_at: '2026-11-30T02:00:00Z', size_bytes: 9_000_000, sha256: 'ab', rows_count: 812_345, program_version: '0.1.0', missing_artifacts_count: 0, verified_at: null };
  const before = 'bist-20261130T081500Z.tar.zst.age';
  const restoring = (stage, more = {}) => ({ what: item.name, stage, since: '2026-11-30T08:15:00Z', before: null, error: null, ...more });
  const world = { restoring: null, restoredAt: null, isAway: false, asked: [] };
  const { page, complaints, close } = await openPage(browser);
  const told = (what) => page.waitForSelector(`[data-restoring="${what}"]`, { timeout: WAIT_MS });
  const begin = async () => {
    await page.locator('[data-go-back]').click();
    await page.waitForSelector('[data-restore] input[name="reason"]:focus', { timeout: WAIT_MS });
    await page.keyboard.type('a journey');
    await page.locator('[data-restore] input[name="typed"]').fill('bist-20261130');
    check(await page.locator('[data-restore] button[type="submit"]').isDisabled(), 'restore: it can be begun without its name');
    await page.locator('[data-restore] input[name="typed"]').fill(item.name);
  };
  try {
    await page.route('**/api/v1/admin/backups', (route) => {
      if (world.isAway) return route.abort('connectionrefused');
      return route.fulfill({ json: { ...kept, log: LOG, items: [item], is_enabled: true, is_overdue: false, has_identity: true, restoring: world.restoring, restored_at: world.restoredAt } });
    });
    await page.route('**/api/v1/admin/backups/restore', (route) => {
      world.asked.push(route.request().postDataJSON());
      world.restoring = restoring('reading');
      return route.fulfill({ status: 202, json: world.restoring });
    });
    await turnStale(page, 'admin/backups/restore');
    await visit(page, '/admin/backups', '[data-go-back]');
    await begin();
    await inspectLooks(page, complaints, 'backups-restore');
    await page.locator('[data-restore] button[type="submit"]').click();
    await stepUp(page, owner.secret);
    await told('reading');
    forgive(complaints, 403);
    await keepSession(page.context());
    const wished = JSON.stringify([{ backup: item.name, confirmation: item.name, reason: 'a journey' }]);
    check(JSON.stringify(world.asked) === wished, `restore: asked for with ${JSON.stringify(world.asked)}`);
    check(await page.locator('[data-go-back]').isDisabled(), 'restore: a second one can be begun');
    world.restoring = restoring('swapping', { before });
    await told('swapping');
    await inspectLooks(page, complaints, 'backups-restoring');
    world.isAway = true;
    await told('away');
    [world.isAway, world.restoring, world.restoredAt] = [false, null, '2026-11-30T08:15:30Z'];
    await told('restored');
    complaints.length = 0;
    check((await page.locator('[data-restoring]').innerText()).includes(before), 'restore: the backup of before is not named');
    await inspectLooks(page, complaints, 'backups-restored');

    await begin();
    await page.locator('[data-restore] button[type="submit"]').click();
    await told('reading');
    world.restoring = restoring('failed', { error: 'the disk is full' });
    await told('failed');
    const failed = await page.locator('[data-restoring]').innerText();
    check(failed.includes('the disk is full'), 'restore: it is not told why it failed');
    check(!/being restored|geri yükleniyor/.test(failed), 'restore: what failed is told as going on');
    await inspectLooks(page, complaints, 'backups-restore-failed');

    const chosen = async (local) => {
      await page.locator('[data-moments] input[name="moment"]').fill(local);
      await page.locator('[data-moments] button[type="submit"]').click();
    };
    for (const [local, fault] of [['2026-11-28T08:59:59', 'early'], ['2026-11-30T11:00:02', 'late'], ['', 'none']]) {
      await chosen(local);
      await page.waitForSelector(`[data-moment-fault="${fault}"]`, { timeout: WAIT_MS });
      check((await page.locator('[data-restore]').count()) === 0, `restore: a moment can be gone back to that is ${fault}`);
    }
    await inspectLooks(page, complaints, 'backups-no-moment');
    await chosen('2026-11-30T10:30:15');
    const moment = '2026-11-30T07:30:15Z';
    await page.waitForSelector(`[data-restore="${moment}"] input[name="reason"]:focus`, { timeout: WAIT_MS });
    await page.keyboard.type('a mistake');
    await page.locator('[data-restore] input[name="typed"]').fill('2026-11-30T10:30:15');
    check(await page.locator('[data-restore] button[type="submit"]').isDisabled(), 'restore: a moment is confirmed by the time of Istanbul');
    await page.locator('[data-restore] input[name="typed"]').fill(moment);
    await inspectLooks(page, complaints, 'backups-restore-moment');
    await page.locator('[data-restore] button[type="submit"]').click();
    await told('reading');
    const last = JSON.stringify(world.asked.at(-1));
    check(last === JSON.stringify({ at: moment, confirmation: moment, reason: 'a mistake' }), `restore: asked for with ${last}`);
    check(await page.locator('[data-moments] button[type="submit"]').isDisabled(), 'restore: a moment can be gone back to while a backup is');
  } finally {
    await close();
  }
}

/** Invites a trader, who is led nowhere in administration and refused by the API, and erases them. */
async function trader(browser, owner) {
  const name = `islemci-${Date.now().toString(36)}`;
  const { page, complaints, close } = await openPage(browser);
  const guest = await openPage(browser, { anonymous: true });
  const given = async (selector) => {
    await page.waitForSelector(`${selector}, [data-step-up] input[name="code"]`, { timeout: WAIT_MS });
    if ((await page.locator('[data-step-up]').count()) === 0) return;
    await stepUp(page, owner.secret);
    forgive(complaints, 403);
    await page.waitForSelector(selector, { timeout: WAIT_MS });
    await keepSession(page.context());
  };
  try {
    await visit(page, '/admin/users', '[data-users]');
    await page.locator('[data-invite] input[name="user_name"]').fill(name);
    await page.locator('[data-invite] select[name="role"]').selectOption('trader');
    await page.locator('[data-invite] button[type="submit"]').click();
    await given('[data-invitation-link]');
    const link = new URL(await page.locator('[data-invitation-link]').getAttribute('data-invitation-link'));
    await page.keyboard.press('Escape');
    await acceptInvitation(guest.page, guest.complaints, link.pathname + link.hash, false);
    await guest.page.waitForSelector('[data-account]', { timeout: WAIT_MS });
    check((await guest.page.locator('a[href^="/admin"]').count()) === 0, 'a trader sees a way to administration');
    for (const { path } of ADMIN_ROUTES) await visit(guest.page, path, '[data-forbidden]');
    await inspect(guest.page, guest.complaints, 'administration, for a trader');
    const refused = await guest.page.evaluate(async () => {
      const paths = ['overview', 'api-usage', 'api-usage/series', 'api-usage.csv', 'activity', 'activity/summary', 'activity.csv', 'rate-limits', 'errors', 'errors/1', 'backups', 'trading'];
      const statuses = await Promise.all(paths.map(async (path) => [path, (await fetch(`/api/v1/admin/${path}`)).status]));
      return statuses.filter(([, status]) => status !== 403);
    });
    check(refused.length === 0, `a trader is answered other than 403: ${JSON.stringify(refused)}`);
    await page.locator(`[data-user="${name}"] button`).click({ timeout: WAIT_MS });
    await page.locator('[data-erase] input').fill(name);
    await page.locator('[data-erase] button').click();
    await page.waitForSelector(`[data-user="${name}"]`, { state: 'detached', timeout: WAIT_MS });
  } finally {
    await guest.close();
    await close();
  }
}

/** All of it, by who has signed in; the session that is kept stays theirs. */
export async function adminJourney(browser, owner) {
  await pageErrors(browser);
  await failingPage(browser);
  await activities(browser);
  await overviewAgrees(browser);
  await usageAgrees(browser);
  await backups(browser);
  await goingBack(browser, owner);
  await trader(browser, owner);
}
