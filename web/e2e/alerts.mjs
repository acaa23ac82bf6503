// Watchlists, alerts and preferences on two devices of one person: what is changed on the one is seen on
// the other without a reload, and a rule that fires is told at once.
import { api, BASE, check, inspect, openPage, visit, WAIT_MS } from './browser.mjs';

/** A rule that the sample meets, as it holds planted faults; on real data it is told only that it is not met. */
const RULE = 'Kalite %100 altında';

async function lists(here, there, symbol) {
  await visit(here.page, `/s/${symbol}`, '[data-watchlists]');
  await visit(there.page, `/s/${symbol}`, '[data-watchlists]');
  await here.page.click('[data-watchlists] ~ button');
  await here.page.fill('[data-list-editor] input[name="list"]', 'İki cihaz');
  await here.page.click('[data-list-editor] form button');
  await here.page.waitForSelector(`[data-listed="${symbol}"]`, { timeout: WAIT_MS });
  await inspect(here.page, here.complaints, 'alerts: editor of lists');
  await here.page.keyboard.press('Escape');
  const option = there.page.locator('[data-watchlists] option', { hasText: 'İki cihaz' });
  await option.waitFor({ state: 'attached', timeout: WAIT_MS });
  await there.page.selectOption('[data-watchlists]', { label: 'İki cihaz' });
  await there.page.waitForFunction(() => document.querySelectorAll('tbody tr[data-symbol]').length === 1, undefined, { timeout: WAIT_MS });
  check((await there.page.getAttribute('tbody tr[data-symbol]', 'data-symbol')) === symbol, 'alerts: the list shows another symbol');
}

async function rules(here, there) {
  await visit(here.page, '/settings/alerts', '[data-alert-rules] [data-new-rule]');
  await here.page.click('[data-new-rule]');
  await here.page.fill('[data-rule-form] input[name="name"]', RULE);
  await here.page.selectOption('[data-rule-form] select[name="kind"]', 'data_quality');
  await here.page.fill('[data-rule-form] input[name="score"]', '100');
  await inspect(here.page, here.complaints, 'alerts: form of a rule');
  await here.page.click('[data-rule-form] button[type="submit"]');
  await here.page.waitForSelector('[data-rule]', { timeout: WAIT_MS });
  const { score_share: score } = await api('/api/v1/data-quality?limit=1');
  if (score !== null && score < 1) {
    await here.page.waitForSelector('[data-alert] [data-delivery="web"][data-state="delivered"]', { timeout: WAIT_MS });
    await there.page.waitForSelector('[data-bell="1"]', { timeout: WAIT_MS });
    await here.page.click('[data-read]');
    await there.page.waitForSelector('[data-bell="0"]', { timeout: WAIT_MS });
  }
  await inspect(here.page, here.complaints, 'alerts: rules and history');
}

async function preferences(here, there) {
  await visit(here.page, '/settings/preferences', '[data-preferences]');
  await here.page.selectOption('[data-preferences] select[name="theme"]', 'light');
  await here.page.click('[data-preferences] button[type="submit"]');
  await there.page.waitForFunction(() => document.documentElement.dataset.theme === 'light', undefined, { timeout: WAIT_MS });
  await inspect(here.page, here.complaints, 'alerts: preferences, light');
  await here.page.selectOption('[data-preferences] select[name="theme"]', 'dark');
  await here.page.click('[data-preferences] button[type="submit"]');
  await there.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark', undefined, { timeout: WAIT_MS });
}

export async function alertsJourney(browser) {
  const [here, there] = [await openPage(browser, { kept: true }), await openPage(browser, { kept: true })];
  try {
    const [{ symbol }] = (await api('/api/v1/symbols?limit=1')).items;
    await lists(here, there, symbol);
    await rules(here, there);
    await preferences(here, there);
    check(there.complaints.length === 0, `alerts, the other device at ${BASE}: ${there.complaints.join('; ')}`);
  } finally {
    await here.close();
    await there.close();
  }
}
