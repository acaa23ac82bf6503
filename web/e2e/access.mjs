// Who may get in, and what they see: invitation, enrolment, sign-in, sessions, keys, users and the audit log.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BASE, check, inspect, inspectLooks, keepSession, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';
import { freshCode } from './totp.mjs';

export const PASSWORD = 'kirmizi balon dokuz kedi';

/** Answers that a step is meant to bring are no complaints. */
export function forgive(complaints, ...statuses) {
  const isMeant = (complaint) => statuses.some((status) => complaint.startsWith(`${status} for`) || complaint.includes(`status of ${status}`));
  const rest = complaints.filter((complaint) => !isMeant(complaint));
  complaints.splice(0, complaints.length, ...rest);
}
/** An answer to who asks too often. */
function tooMany(seconds) {
  const body = { type: 'about:blank', title: 'too many requests', status: 429, detail: null, code: 'rate_limited', request_id: 'e2e-429' };
  return { status: 429, contentType: 'application/problem+json', headers: { 'retry-after': String(seconds) }, body: JSON.stringify(body) };
}
export const at = (page, path) => page.waitForFunction((wanted) => location.pathname + location.search === wanted, path, { timeout: WAIT_MS });
export const problem = (page, code) => page.waitForSelector(`[data-problem="${code}"]`, { timeout: WAIT_MS });

/** Accepts an invitation and chooses the password; gives the user name it is for. */
export async function acceptInvitation(page, complaints, link, look, base = BASE) {
  await visit(page, link, 'input[name="new_password"]', base);
  const name = await page.locator('input[name="user_name"]').inputValue();
  check((await page.evaluate(() => location.hash)) === '' && !page.url().includes('#'), 'invitation: the token stays in the address');
  const submit = page.locator('[data-gate] button[type="submit"]');
  await page.locator('input[name="new_password"]').fill('kisa');
  await page.locator('input[name="new_password_again"]').fill('kisa');
  check(await submit.isDisabled(), 'invitation: a password of 4 characters is taken');
  forgive(complaints, 401);
  if (look) await inspectLooks(page, complaints, 'invitation');
  await page.locator('input[name="new_password"]').fill(PASSWORD);
  await page.locator('input[name="new_password_again"]').fill(`${PASSWORD}x`);
  check(await submit.isDisabled(), 'invitation: two different passwords are taken');
  await page.locator('input[name="new_password_again"]').fill(PASSWORD);
  await submit.click();
  return name;
}

/**
 * Accepts the invitation of the first administrator, enrols a second factor, and keeps the session for
 * the other journeys. `invitation` is the path and fragment of the link.
 */
export async function signIn(browser, { invitation }) {
  const { page, complaints, close } = await openPage(browser, { anonymous: true });
  const userName = await acceptInvitation(page, complaints, invitation, true);
  await page.waitForSelector('[data-gate="enrol"] [data-secret]', { timeout: WAIT_MS });
  await page.locator('[data-gate] a[href="/"].button').click();
  await page.locator('nav a[href="/admin"]').click({ timeout: WAIT_MS });
  await at(page, '/enrol?next=%2Fadmin');
  await page.waitForSelector('[data-gate="enrol"] [data-secret]', { timeout: WAIT_MS });
  await settled(page);
  const secret = await page.locator('[data-secret]').getAttribute('data-secret');
  const seen = await page.locator('[data-gate] img').evaluate((image) => image.complete && image.naturalWidth > 0);
  check(seen, 'enrolment: the square to scan is not drawn');
  check((await page.locator('[data-secret]').innerText()).replace(/\s/g, '') === secret, 'enrolment: the key in groups is not the key');
  await inspectLooks(page, complaints, 'enrol');
  const code = await freshCode(secret);
  // Pasted with a blank in the middle, as some apps show it.
  await page.locator('input[name="code"]').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-recovery-codes]', { timeout: WAIT_MS });
  const recoveryCodes = await page.locator('[data-recovery-codes] code').allInnerTexts();
  check(new Set(recoveryCodes).size === 10, `enrolment: ${recoveryCodes.length} recovery codes`);
  check(await page.locator('[data-enrolled]').isDisabled(), 'enrolment: one can go on without having kept the codes');
  await inspectLooks(page, complaints, 'recovery-codes');
  await page.locator('input[name="kept"]').check();
  await page.locator('[data-enrolled]').click();
  await page.waitForSelector('[data-overview]', { timeout: WAIT_MS });
  await settled(page);
  await inspectLooks(page, complaints, 'overview-first');
  await page.locator('.tabs a[href="/admin/users"]').click();
  await page.waitForSelector('[data-users]', { timeout: WAIT_MS });
  await settled(page);
  await inspectLooks(page, complaints, 'users-first');
  await keepSession(page.context());
  await close();
  return { userName, secret, recoveryCodes };
}

/** Gives user name and password. */
export async function givePassword(page, userName) {
  await page.locator('input[name="user_name"]').fill(userName);
  await page.locator('input[name="password"]').fill(PASSWORD);
  await page.keyboard.press('Enter');
}

/** The same, and then a code or a recovery code. */
export async function signInAgain(page, { userName, secret }, recoveryCode) {
  await givePassword(page, userName);
  await page.waitForSelector('[data-gate="code"] input[name="code"]', { timeout: WAIT_MS });
  if (recoveryCode === undefined) {
    await page.locator('input[name="code"]').fill(await freshCode(secret));
  } else {
    await page.locator('[data-gate="code"] form .link').click();
    await page.locator('input[name="recovery_code"]').fill(recoveryCode);
  }
  await page.keyboard.press('Enter');
}

/** As if ten minutes had passed since the code of the sign-in: the next question for `resource` needs a fresh one. */
export async function turnStale(page, resource) {
  const stale = { type: 'about:blank', title: 'step up required', status: 403, detail: null, code: 'step_up_required', request_id: 'e2e-403' };
  await page.route(`**/api/v1/${resource}`, (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(stale) }), { times: 1 });
}

/** Gives the fresh code that a step asks for. */
export async function stepUp(page, secret) {
  await page.waitForSelector('[data-step-up] input[name="code"]', { timeout: WAIT_MS });
  await page.locator('[data-step-up] input[name="code"]').fill(await freshCode(secret));
  await page.keyboard.press('Enter');
}

/** The door: what is wrong is refused without telling what, and the way leads back to where one was. */
async function door(page, complaints, owner) {
  const wanted = '/admin/audit?actor=system';
  await visit(page, wanted, '[data-gate="login"] input[name="user_name"]:focus');
  check(page.url() === `${BASE}/login?next=${encodeURIComponent(wanted)}`, `sign-in: the address is ${page.url()}`);
  check((await page.locator('header [data-account], nav').count()) === 0, 'sign-in: parts of the app are shown to nobody');
  forgive(complaints, 401);
  await inspectLooks(page, complaints, 'login');
  await page.locator('input[name="user_name"]').fill(owner.userName);
  await page.locator('input[name="password"]').fill('yanlis bir parola');
  await page.keyboard.press('Enter');
  await problem(page, 'wrong_credentials');
  check((await page.locator('[role="alert"]').innerText()) === 'Kullanıcı adı veya parola yanlış.', 'sign-in: the refusal says something else');
  forgive(complaints, 401);
  check((await page.evaluate(() => document.activeElement?.getAttribute('name'))) === 'password', 'sign-in: after a refusal the password is not where one types');
  await page.route('**/api/v1/auth/login', (route) => route.fulfill(tooMany(75)));
  await page.locator('input[name="password"]').fill('yanlis bir parola');
  await page.keyboard.press('Enter');
  await problem(page, 'rate_limited');
  check(/7[0-5] s sonra/.test(await page.locator('[role="alert"]').innerText()), 'sign-in: it is not told how long one has to wait');
  check(await page.locator('[data-gate] button[type="submit"]').isDisabled(), 'sign-in: one can go on although one has to wait');
  forgive(complaints, 429);
  await inspectLooks(page, complaints, 'login-limited');
  await page.unroute('**/api/v1/auth/login');
  await visit(page, page.url().slice(BASE.length), 'input[name="user_name"]');
  forgive(complaints, 401);
  await page.locator('input[name="password"]').fill(PASSWORD);
  await page.locator('.field .icon-button').click();
  check((await page.locator('input[name="password"]').getAttribute('type')) === 'text', 'sign-in: the password cannot be shown');
  await page.locator('.field .icon-button').click();
  await signInAgain(page, owner);
  await at(page, wanted);
  await page.waitForSelector('[data-verified="true"]', { timeout: WAIT_MS });
  await settled(page);
}

async function auditLog(page, complaints) {
  await page.waitForSelector('[data-audit], main .empty', { timeout: WAIT_MS });
  check(new URL(page.url()).searchParams.get('actor') === 'system', 'audit: the filter of the address is lost');
  await visit(page, '/admin/audit', '[data-audit]');
  await page.waitForSelector('[data-verified="true"]', { timeout: WAIT_MS });
  const numbers = await page.locator('[data-audit] [data-seq]').evaluateAll((rows) => rows.map((row) => Number(row.dataset.seq)));
  check(numbers.every((seq, index) => index === 0 || seq < numbers[index - 1]), 'audit: not the newest first');
  await page.locator('[data-audit] summary').first().click();
  await inspectLooks(page, complaints, 'audit');
  for (const format of ['CSV', 'JSON']) {
    const [download] = await Promise.all([page.waitForEvent('download', { timeout: WAIT_MS }), page.getByRole('button', { name: format, exact: true }).click()]);
    const text = readFileSync(await download.path(), 'utf8');
    const first = format === 'CSV' ? text.split('\r\n')[1].split(',')[0] : JSON.parse(text)[0].seq;
    check(Number(first) >= numbers[0], `audit: the ${format} file begins with record ${first}`);
  }
  await page.locator('[data-audit] tbody tr').first().locator('a').nth(1).click();
  await page.waitForFunction(() => new URLSearchParams(location.search).get('action') !== null);
  await settled(page);
  const shown = await page.locator('[data-audit] tbody tr td:nth-child(4) a').evaluateAll((links) => new Set(links.map((link) => link.title)).size);
  check(shown === 1, `audit: ${shown} actions are shown where one is wanted`);
  await page.route('**/api/v1/audit/verification', (route) =>
    route.fulfill({ json: { verified: false, records_count: 40, root: '00', broken: { seq: 17, problem: 'the digest does not fit' }, checked_at: '2026-11-29T10:00:00Z' } }),
  );
  await visit(page, '/admin/audit?from=2026-11-01', '[data-verified="false"] [role="alert"]');
  check((await page.locator('[data-verified="false"]').innerText()).includes('17'), 'audit: the first broken record is not named');
  await inspectLooks(page, complaints, 'audit-broken');
  await page.unroute('**/api/v1/audit/verification');
}

/** Another session is seen and ended, and recovery codes are made anew. */
async function security(browser, page, complaints, owner) {
  const other = await openPage(browser, { anonymous: true, language: 'en' });
  await visit(other.page, '/login', 'input[name="user_name"]');
  await signInAgain(other.page, owner, owner.recoveryCodes[0]);
  await other.page.waitForSelector('[data-account]', { timeout: WAIT_MS });
  await visit(other.page, '/settings/security', '[data-sessions]');
  const mine = await other.page.evaluate(async () => (await (await fetch('/api/v1/auth/sessions')).json()).items.find((session) => session.current).id);

  await visit(page, '/settings/security', `[data-session="${mine}"]`);
  await page.waitForSelector('[data-sign-ins]', { timeout: WAIT_MS });
  check((await page.locator('[data-codes-left]').getAttribute('data-codes-left')) === '9', 'security: a recovery code that was used still counts');
  check((await page.locator('[data-outcome="signed_in"]').count()) > 0, 'security: the sign-in is not in the history');
  await inspectLooks(page, complaints, 'security');
  await page.locator(`[data-session="${mine}"] button`).click();
  await page.waitForSelector(`[data-session="${mine}"]`, { state: 'detached', timeout: WAIT_MS });
  await other.page.locator('main a[href="/settings/keys"]').click();
  await at(other.page, '/login?next=%2Fsettings%2Fkeys');
  await other.close();

  await turnStale(page, 'auth/recovery-codes');
  await page.locator('[data-factor] button').first().click();
  await page.waitForSelector('[data-step-up] input:focus', { timeout: WAIT_MS });
  forgive(complaints, 403);
  await inspectLooks(page, complaints, 'step-up');
  await stepUp(page, owner.secret);
  await page.waitForSelector('dialog [data-recovery-codes]', { timeout: WAIT_MS });
  owner.recoveryCodes = await page.locator('[data-recovery-codes] code').allInnerTexts();
  await page.locator('dialog input[name="kept"]').check();
  await page.locator('dialog .button.primary').click();
  await page.waitForSelector('[data-codes-left="10"]', { timeout: WAIT_MS });
}

const callWith = async (token) => (await fetch(`${BASE}/api/v1/symbols`, { headers: { authorization: `Bearer ${token}` } })).status;

/** A key is made, used, rotated and revoked. */
async function keys(page, complaints) {
  await visit(page, '/settings/keys', '[data-new-key]');
  await page.locator('[data-new-key] input[name="name"]').fill('e2e');
  await page.locator('[data-new-key] input[name="days"]').fill('5');
  await page.locator('[data-new-key] button[type="submit"]').click();
  await page.waitForSelector('[data-token]', { timeout: WAIT_MS });
  const token = await page.locator('[data-token]').getAttribute('data-token');
  await inspectLooks(page, complaints, 'key-token');
  check((await callWith(token)) === 200, 'keys: the API does not take the key that was made');
  await page.locator('dialog .button.primary').click();
  const row = page.locator('[data-key]').filter({ has: page.locator('[data-key-state="active"]') }).filter({ hasText: 'e2e' });
  await row.first().waitFor({ timeout: WAIT_MS });
  await page.waitForSelector('[data-due]', { timeout: WAIT_MS });
  check(!(await page.locator('main').innerText()).includes(token), 'keys: the token is still shown');
  await inspectLooks(page, complaints, 'keys');
  await row.first().locator('button').first().click();
  await page.locator('dialog [data-sure]').click();
  await page.waitForSelector('[data-token]', { timeout: WAIT_MS });
  const next = await page.locator('[data-token]').getAttribute('data-token');
  await page.locator('dialog .button.primary').click();
  await page.waitForSelector('[data-key-state="grace"]', { timeout: WAIT_MS });
  check((await callWith(token)) === 200 && (await callWith(next)) === 200, 'keys: old and new do not both work after a rotation');
  await row.first().locator('button').last().click();
  await page.locator('dialog [data-sure]').click();
  await page.waitForSelector('[data-key-state="revoked"]', { timeout: WAIT_MS });
  check((await callWith(next)) === 401, 'keys: a key that was revoked still works');
  check((await callWith('bist_k0000000000000000_wrong')) === 401, 'keys: a made-up key works');
  await visit(page, '/admin/keys', '[data-keys]');
  await inspectLooks(page, complaints, 'all-keys');
}

/** A viewer is invited, sees nothing of administration, and is erased. */
async function users(browser, page, complaints, owner) {
  const name = `izleyici-${Date.now().toString(36)}`;
  await visit(page, '/admin/users', '[data-users]');
  await page.locator(`[data-user="${owner.userName}"] button`).click();
  await page.locator('dialog select[name="role"]').selectOption('viewer');
  await page.locator('dialog form button[type="submit"]').first().click();
  await problem(page, 'last_administrator');
  forgive(complaints, 409);
  await inspectLooks(page, complaints, 'user-dialog');
  await page.keyboard.press('Escape');
  await page.locator('[data-invite] input[name="user_name"]').fill(name);
  await page.locator('[data-invite] button[type="submit"]').click();
  await page.waitForSelector('[data-invitation-link]', { timeout: WAIT_MS });
  const link = new URL(await page.locator('[data-invitation-link]').getAttribute('data-invitation-link'));
  await inspectLooks(page, complaints, 'invitation-link');
  await page.keyboard.press('Escape');
  await page.waitForSelector(`[data-user="${name}"] [data-user-state="invited"]`, { timeout: WAIT_MS });
  await inspectLooks(page, complaints, 'users');

  const viewer = await openPage(browser, { anonymous: true });
  await acceptInvitation(viewer.page, viewer.complaints, link.pathname + link.hash, false);
  await viewer.page.waitForSelector('[data-account]', { timeout: WAIT_MS });
  check((await viewer.page.locator('a[href^="/admin"]').count()) === 0, 'a viewer sees the pages of administration');
  await visit(viewer.page, '/admin/users', '[data-forbidden]');
  await inspectLooks(viewer.page, viewer.complaints, 'forbidden');
  await visit(viewer.page, '/settings/keys', '[data-new-key]');
  await viewer.page.locator('[data-new-key] input[name="name"]').fill('e2e');
  await viewer.page.locator('[data-new-key] button[type="submit"]').click();
  await viewer.page.waitForSelector('dialog a[href^="/enrol"]', { timeout: WAIT_MS });
  forgive(viewer.complaints, 403);
  await inspectLooks(viewer.page, viewer.complaints, 'enrolment-first');
  await viewer.page.keyboard.press('Escape');
  check((await viewer.page.locator('[data-new-key] input[name="name"]').inputValue()) === 'e2e', 'what was typed for a key is lost when a second factor is needed first');
  await turnStale(viewer.page, 'auth/2fa/setup');
  await viewer.page.goto(`${BASE}/enrol`, { waitUntil: 'commit' });
  const typed = viewer.page.locator('[data-step-up] input[name="password"]');
  await typed.fill('yanlis bir parola', { timeout: WAIT_MS });
  await viewer.page.keyboard.press('Enter');
  await problem(viewer.page, 'wrong_credentials');
  forgive(viewer.complaints, 401, 403);
  await inspect(viewer.page, viewer.complaints, 'a password is asked for again');
  await viewer.page.screenshot({ path: join(OUT, 'step-up-password.png') });
  await typed.fill(PASSWORD);
  await viewer.page.keyboard.press('Enter');
  await viewer.page.waitForSelector('[data-gate="enrol"] [data-secret]', { timeout: WAIT_MS });
  check((await viewer.page.evaluate(async () => (await fetch('/api/v1/users')).status)) === 403, 'the API tells a viewer of the users');
  forgive(viewer.complaints, 403);
  await visit(viewer.page, link.pathname + link.hash, '[data-invitation="invalid"]');
  forgive(viewer.complaints, 410);
  await inspectLooks(viewer.page, viewer.complaints, 'invitation-invalid');

  await page.reload({ waitUntil: 'commit' });
  await page.locator(`[data-user="${name}"] button`).click({ timeout: WAIT_MS });
  const end = page.locator('[data-end-sessions] button');
  await end.first().click();
  await end.first().click();
  await page.waitForSelector('dialog [role="status"]', { timeout: WAIT_MS });
  await viewer.page.goto(`${BASE}/settings/security`, { waitUntil: 'commit' });
  await at(viewer.page, '/login?next=%2Fsettings%2Fsecurity');
  await givePassword(viewer.page, name);
  await viewer.page.waitForSelector('[data-sessions]', { timeout: WAIT_MS });
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: WAIT_MS }), page.locator('dialog section').last().locator('button').click()]);
  check(readFileSync(await download.path(), 'utf8').includes(name), 'users: the export does not name the user');
  const erase = page.locator('[data-erase] button');
  check(await erase.isDisabled(), 'users: one can erase without typing the name');
  await page.locator('[data-erase] input').fill(name);
  await erase.click();
  await page.waitForSelector(`[data-user="${name}"]`, { state: 'detached', timeout: WAIT_MS });
  await viewer.page.goto(`${BASE}/settings/security`, { waitUntil: 'commit' });
  await at(viewer.page, '/login?next=%2Fsettings%2Fsecurity');
  await viewer.close();
}

/** Too many requests are waited for, and told. */
async function limited(page) {
  let refused = 0;
  await page.route('**/api/v1/users**', (route) => {
    refused += 1;
    return refused > 1 ? route.continue() : route.fulfill(tooMany(3));
  });
  await page.goto(`${BASE}/admin/users`, { waitUntil: 'commit' });
  await page.waitForSelector('[data-limited]', { timeout: WAIT_MS });
  check(/^Çok sık istek; [0-9] s sonra yeniden$/.test(await page.locator('[data-limited]').innerText()), 'too many requests: it is not told how long it takes');
  await page.waitForSelector('[data-users]', { timeout: WAIT_MS });
  check(refused === 2 && (await page.locator('[data-limited]').count()) === 0, `too many requests: asked ${refused} times`);
  await page.unroute('**/api/v1/users**');
}

/** Who signs out in one tab is out in the others. */
async function signOut(page, complaints) {
  const tab = await page.context().newPage();
  await visit(tab, '/models', '[data-account]');
  await page.locator('[data-account]').click();
  await page.waitForSelector('[data-sign-out]', { timeout: WAIT_MS });
  forgive(complaints, 429);
  await inspectLooks(page, complaints, 'account-menu');
  await page.locator('[data-sign-out]').click();
  await at(page, '/login');
  await at(tab, '/login?next=%2Fmodels');
  await page.goBack({ waitUntil: 'commit' });
  await page.waitForSelector('[data-gate="login"]', { timeout: WAIT_MS });
}

/** All of it, by who has signed in with `signIn`; the session that is kept stays as it is. */
export async function accessJourney(browser, owner) {
  const { page, complaints, close } = await openPage(browser, { anonymous: true });
  await door(page, complaints, owner);
  await auditLog(page, complaints);
  await security(browser, page, complaints, owner);
  await keys(page, complaints);
  await users(browser, page, complaints, owner);
  await limited(page);
  await signOut(page, complaints);
  await close();
}
