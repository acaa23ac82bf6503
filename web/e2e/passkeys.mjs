// A passkey in the place of codes: enrolled, signed in with, shown once more, removed. The authenticator
// is the one that Chromium brings for tests; the page is the one of localhost, for which browsers make passkeys.
import { BASE, check, inspectLooks, openPage, settled, visit, WAIT_MS } from './browser.mjs';
import { acceptInvitation, at, forgive, givePassword, PASSWORD, problem, signInAgain, turnStale } from './access.mjs';

const LOCALHOST = BASE.replace('127.0.0.1', 'localhost');
const AUTHENTICATOR = {
  protocol: 'ctap2',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

/** Invites another administrator; gives the link without the base. */
async function invite(page, name) {
  await visit(page, '/admin/users', '[data-users]');
  await page.locator('[data-invite] input[name="user_name"]').fill(name);
  await page.locator('[data-invite] select[name="role"]').selectOption('admin');
  await page.locator('[data-invite] button[type="submit"]').click();
  await page.waitForSelector('[data-invitation-link]', { timeout: WAIT_MS });
  const link = new URL(await page.locator('[data-invitation-link]').getAttribute('data-invitation-link'));
  await page.keyboard.press('Escape');
  return link.pathname + link.hash;
}

async function keepCodes(page, within) {
  await page.waitForSelector(`${within} [data-recovery-codes]`, { timeout: WAIT_MS });
  const codes = await page.locator(`${within} [data-recovery-codes] code`).allInnerTexts();
  check(new Set(codes).size === 10, `passkeys: ${codes.length} recovery codes`);
  await page.locator(`${within} input[name="kept"]`).check();
}

/** All of it, by an administrator whom `owner` invites and who is erased in the end. */
export async function passkeysJourney(browser, owner) {
  const name = `anahtar-${Date.now().toString(36)}`;
  const admin = await openPage(browser, { anonymous: true });
  await visit(admin.page, '/login', 'input[name="user_name"]');
  await signInAgain(admin.page, owner);
  await admin.page.waitForSelector('[data-account]', { timeout: WAIT_MS });
  const link = await invite(admin.page, name);
  forgive(admin.complaints, 401);
  // Opened by an address, the page says why there are none in the place of a button.
  await visit(admin.page, '/settings/security', '[data-no-passkeys]');
  check((await admin.page.locator('[data-new-passkey]').count()) === 0, 'passkeys: one is offered where browsers make none');
  await inspectLooks(admin.page, admin.complaints, 'passkeys-unavailable');

  const { page, complaints, close } = await openPage(browser, { anonymous: true });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options: AUTHENTICATOR });
  const kept = async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  await acceptInvitation(page, complaints, link, false, LOCALHOST);
  await page.waitForSelector('[data-gate="enrol"] [data-new-passkey]', { timeout: WAIT_MS });
  await settled(page);
  await inspectLooks(page, complaints, 'enrol-passkey');
  await page.locator('input[name="passkey_name"]').fill('dizüstü');
  await page.keyboard.press('Enter');
  await keepCodes(page, '[data-gate="enrol"]');
  const [made, ...more] = await kept();
  check(more.length === 0 && made.rpId === 'localhost' && made.isResidentCredential === false, `passkeys: the authenticator keeps ${JSON.stringify(made)}`);
  await page.locator('[data-enrolled]').click();
  await page.waitForSelector('nav a[href="/admin"]', { timeout: WAIT_MS });
  await visit(page, '/admin/users', `[data-user="${name}"]`, LOCALHOST);
  check((await page.locator(`[data-user="${name}"]`).innerText()).includes('geçiş anahtarı'), 'passkeys: the list of users does not tell of it');

  await visit(page, '/settings/security', '[data-passkeys="1"]', LOCALHOST);
  await page.waitForSelector('[data-sessions] [data-session]', { timeout: WAIT_MS });
  await inspectLooks(page, complaints, 'passkeys');
  // The browser knows that this authenticator has one already.
  await page.locator('input[name="passkey_name"]').fill('bir daha');
  await page.keyboard.press('Enter');
  await problem(page, 'passkey_known');
  check((await kept()).length === 1, 'passkeys: the authenticator has two of one account');

  await page.locator('[data-account]').click();
  await page.locator('[data-sign-out]').click();
  await page.waitForSelector('[data-gate="login"] input[name="user_name"]', { timeout: WAIT_MS });
  forgive(complaints, 401);
  await givePassword(page, name);
  await page.waitForSelector('[data-gate="code"] [data-passkey]', { timeout: WAIT_MS });
  check((await page.locator('input[name="code"]').count()) === 0, 'passkeys: a code is asked for that nothing shows');
  await inspectLooks(page, complaints, 'code-passkey');
  await page.locator('[data-gate="code"] [data-passkey]').click();
  await page.waitForSelector('[data-account]', { timeout: WAIT_MS });
  check((await kept())[0].signCount > made.signCount, 'passkeys: the authenticator was not asked');

  await visit(page, '/settings/security', '[data-passkeys="1"]', LOCALHOST);
  await turnStale(page, 'auth/recovery-codes');
  await page.locator('[data-factor] button').first().click();
  await page.waitForSelector('[data-step-up] [data-passkey]:focus', { timeout: WAIT_MS });
  forgive(complaints, 403);
  await inspectLooks(page, complaints, 'step-up-passkey');
  await page.keyboard.press('Enter');
  await keepCodes(page, 'dialog');
  await page.locator('dialog .button.primary').click();
  await page.waitForSelector('dialog', { state: 'detached', timeout: WAIT_MS });

  await page.locator('[data-passkeys] tbody .button.danger').click();
  await page.locator('[data-remove-passkey] input[name="current_password"]').fill('yanlis bir parola');
  await page.locator('[data-remove-passkey] [data-sure]').click();
  await problem(page, 'wrong_credentials');
  forgive(complaints, 401);
  await inspectLooks(page, complaints, 'passkey-remove');
  await page.locator('[data-remove-passkey] input[name="current_password"]').fill(PASSWORD);
  await page.locator('[data-remove-passkey] [data-sure]').click();
  await page.waitForSelector('[data-passkeys="0"]', { timeout: WAIT_MS });
  check((await page.locator('[data-factor]').getAttribute('data-factor')) === 'off', 'passkeys: the last one is gone, and a second step is still told of');
  await page.locator('nav a[href="/admin"]').click();
  await at(page, '/enrol?next=%2Fadmin');
  await page.waitForSelector('[data-gate="enrol"] [data-secret]', { timeout: WAIT_MS });
  check(complaints.length === 0, `passkeys: ${complaints.join('; ')}`);
  await close();

  await visit(admin.page, '/admin/users', `[data-user="${name}"]`);
  await admin.page.locator(`[data-user="${name}"] button`).click();
  await admin.page.locator('[data-erase] input').fill(name);
  await admin.page.locator('[data-erase] button').click();
  await admin.page.waitForSelector(`[data-user="${name}"]`, { state: 'detached', timeout: WAIT_MS });
  await admin.close();
}
