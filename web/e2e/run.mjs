// Drives the served app in headless Chromium and fails on the first kind of defect it finds many of.
//
//   node e2e/run.mjs --base http://127.0.0.1:8080 --invitation '/invitation#TOKEN' --out DIR [--looks few] [--data-only] [--log FILE]
//
// The base may also come from BIST_E2E_BASE. The invitation is that of an administrator who has set no
// password yet. Works on any data: what it expects is read from the API.
// With few looks each page is seen in one width and one theme; with --data-only the journeys are left out
// that do not depend on the data. With --log none of the secrets of the journeys may be in that file at the end.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import {
  api,
  BASE,
  check,
  checksCount,
  CHROMIUM,
  DATA_ONLY,
  failure,
  failures,
  FLAGS,
  inspect,
  LANGUAGES,
  LOG,
  LOOKS,
  modelPath,
  numberTr,
  openPage,
  INVITATION,
  OUT,
  percentTr,
  SAMPLE_WORD,
  settled,
  together,
  visit,
  WAIT_MS,
} from './browser.mjs';
import { accessJourney, signIn } from './access.mjs';
import { ADMIN_ROUTES, adminJourney } from './admin.mjs';
import { explanationJourney } from './explanations.mjs';
import { horizonJourney, withinSession } from './horizons.mjs';
import { injectionJourney } from './injection.mjs';
import { jobsJourney } from './jobs.mjs';
import { alertsJourney } from './alerts.mjs';
import { liveJourney } from './live.mjs';
import { marketJourney } from './market.mjs';
import { passkeysJourney } from './passkeys.mjs';
import { recordStates } from './record.mjs';
import { registryJourney } from './registry.mjs';
import { mustBeNowhere, secretsIn } from './secrets.mjs';
import { clickedStudy, emptyStudies, failingStudy, runningStudy, studyJourney, studyPath } from './studies.mjs';
import { tradingJourney } from './trading.mjs';

/** Every page as it looks in `look`. */
async function lookAt(browser, look, routes) {
  const { theme, language, width } = look;
  const { page, complaints, close } = await openPage(browser, look);
  for (const { name, path, selector } of routes) {
    const where = `${name} ${theme} ${language} ${width}`;
    try {
      await visit(page, path, selector);
      check((await page.evaluate(() => document.documentElement.lang)) === language, `${where}: the language of the page is not ${language}`);
      check((await page.evaluate(() => document.documentElement.dataset.theme)) === theme, `${where}: the theme is not ${theme}`);
      await inspect(page, complaints, where);
      await page.screenshot({ path: join(OUT, `${name}-${theme}-${language}-${width}.png`) });
    } catch (error) {
      // What the browser complained of, and what the page says instead, tell slowness from a fault.
      const shown = await page.locator('main').innerText({ timeout: WAIT_MS }).catch(() => 'nothing');
      const said = [...complaints.splice(0), `the page shows "${shown.slice(0, 200).replaceAll('\n', ' ')}"`];
      check(false, `${where}: ${error.message.split('\n')[0]} (${said.join('; ')})`);
      await page.screenshot({ path: join(OUT, `${name}-${theme}-${language}-${width}-failed.png`) }).catch(() => undefined);
    }
  }
  await close();
}

/** What the screen says of a symbol must be what the API says. */
async function agreement(browser, symbol, signal) {
  const { page, complaints, close } = await openPage(browser);
  const where = `symbol ${symbol.symbol} (${symbol.origin}, ${signal?.action ?? 'no signal'})`;
  await visit(page, `/s/${symbol.symbol}`, 'main h1');
  await page.waitForSelector('.canvas canvas', { timeout: WAIT_MS });
  const isSample = symbol.origin === 'sample';
  const label = page.locator('.fold [data-sample]');
  check(((await label.count()) > 0) === isSample, `${where}: the sample label is ${isSample ? 'missing' : 'shown'} in head, strip or chart`);
  if (isSample) {
    for (const [part, selector] of [
      ['head', '.fold .title [data-sample]'],
      ['chart', '.fold .legend [data-sample]'],
      ['watchlist', `aside tr[data-symbol="${symbol.symbol}"] [data-sample]`],
      ...(signal ? [['signal strip', '.fold .reason [data-sample]']] : []),
    ]) {
      check((await page.locator(selector).count()) === 1, `${where}: no sample label in the ${part}`);
    }
    check((await label.first().innerText()) === SAMPLE_WORD.tr, `${where}: the label does not read ${SAMPLE_WORD.tr}`);
  }
  if (signal) {
    check((await page.locator(`[data-action="${signal.action}"]`).count()) === 1, `${where}: the verdict is not ${signal.action}`);
    const isHold = signal.action === 'hold';
    for (const part of ['target', 'stop', 'risk-reward']) {
      const count = await page.locator(`[data-${part}]`).count();
      check(count === (isHold ? 0 : 1), `${where}: ${count} of ${part}`);
    }
    if (isHold) check((await page.locator('[data-range]').count()) === 1, `${where}: a hold shows no range`);
    const reason = await page.locator('.reason').innerText();
    check(reason.length > 20 && !reason.includes('undefined'), `${where}: the reason reads "${reason}"`);
    await outlookAgrees(page, symbol, signal, where);
  }
  await inspect(page, complaints, where);
  await close();
}

/** The card of the outlook says what the forecast of the same horizon says. */
async function outlookAgrees(page, symbol, signal, where) {
  const { items } = await api(`/api/v1/forecasts?symbol=${symbol.symbol}&horizon=${signal.horizon}`);
  await page.waitForSelector('[data-outlook]', { timeout: WAIT_MS });
  await settled(page);
  const card = page.locator('[data-outlook]');
  const { barriers, volatility_share: volatility } = items[0];
  for (const outcome of ['upper', 'vertical', 'lower']) {
    const shown = card.locator(`[data-outcome="${outcome}"]`);
    if (barriers === null) check((await shown.count()) === 0, `${where}: an outlook is shown that the forecast does not have`);
    else check((await shown.innerText()).includes(percentTr(barriers[outcome], 0)), `${where}: the probability of ${outcome} is not that of the API`);
  }
  if (volatility !== null) check((await card.innerText()).includes(percentTr(volatility, 2)), `${where}: the volatility is not that of the API`);
}

/** The page of a model shows the whole proof, and every panel says what the API says. */
async function modelJourney(browser, models) {
  const { page, complaints, close } = await openPage(browser);
  const model = models.find((one) => one.horizon_sessions === 5) ?? models[0];
  const where = `model ${model.version}`;
  const { evaluation } = await api(`/api/v1${modelPath(model)}`);
  await visit(page, modelPath(model), '#symbols-title');
  const count = (selector) => page.locator(selector).count();
  const text = (selector) => page.locator(selector).innerText();

  check((await text('[data-sentence]')) === evaluation.sentence.tr, `${where}: the sentence is not that of the API`);
  check((await count('[data-alarm]')) === (evaluation.alarm === null ? 0 : 1), `${where}: the alarm is not that of the API`);
  check((await text('[data-tried]')).includes(numberTr(evaluation.protocol.configurations_tried_count)), `${where}: the configurations tried are not shown`);
  check((await count(`[data-skill="${evaluation.skill.shown}"]`)) === 1, `${where}: the verdict is not that of the API`);
  for (const result of ['model', 'other', 'not_told_apart']) {
    const wanted = evaluation.comparisons.filter((row) => row.better === result).length;
    check((await count(`[data-comparisons] [data-better="${result}"]`)) === wanted, `${where}: not ${wanted} comparisons end with ${result}`);
  }
  const slices = [evaluation.by_year, evaluation.by_sector].filter((rows) => rows.length > 0);
  check((await count('[data-slices]')) === slices.length, `${where}: years or sectors are missing`);
  for (const [index, rows] of slices.entries()) {
    const shown = await page.locator('[data-slices]').nth(index).locator('tbody tr').count();
    check(shown === rows.length + 1, `${where}: ${shown} rows for ${rows.length} parts and the whole`);
  }
  const { direction } = evaluation.outlook;
  if (direction !== null) {
    check((await count('[data-reliability] g circle')) === direction.calibrated.bins.length, `${where}: not a point a bin after calibration`);
    check((await count('[data-reliability] g rect')) === direction.uncalibrated.bins.length, `${where}: not a point a bin before calibration`);
    check((await text('[data-reliability]')).includes(percentTr(direction.calibrated.ece, 1)), `${where}: the calibration error is not that of the API`);
  }
  check((await count('[data-members] tbody tr')) === evaluation.members.length, `${where}: not a row a member`);
  check((await count('figure svg[role="img"]')) === evaluation.members.length, `${where}: not a history of weights a member`);
  check((await text('[data-leak-check]')).includes(numberTr(evaluation.leak_check.values_count)), `${where}: the leak check is not that of the API`);

  const first = evaluation.coverage.filter((entry) => entry.step === 1).sort((a, b) => a.level - b.level);
  const bands = page.locator('section[aria-labelledby="bands-title"]');
  if (evaluation.horizon_sessions > 1) await bands.locator('select').selectOption('1');
  check((await bands.locator('tbody tr').count()) === 2 * first.length, `${where}: a band is missing, adapted or not`);
  const shown = await bands.locator('tbody').innerText();
  for (const entry of first) {
    for (const held of [entry.covered, entry.covered_unadapted]) {
      check(shown.includes(held === null ? 'hesaplanamadı' : percentTr(held.value, 1)), `${where}: what the ${entry.level} band held is not that of the API`);
    }
  }

  const closed = page.locator('details:not([open]) > summary');
  while ((await closed.count()) > 0) await closed.first().click();
  await settled(page);
  await inspect(page, complaints, `${where}, all opened`);
  await page.screenshot({ path: join(OUT, 'model-opened-dark-tr-1440.png'), fullPage: true });

  const horizons = page.locator('.heading nav a');
  const other = models.find((one) => one.horizon_sessions !== model.horizon_sessions);
  if (other !== undefined) {
    await horizons.filter({ hasText: `${other.horizon_sessions} seans` }).first().press('Enter');
    await page.waitForFunction((path) => location.pathname !== path, modelPath(model));
    await page.waitForSelector('#symbols-title', { timeout: WAIT_MS });
    await settled(page);
    const { evaluation: next } = await api(`/api/v1${await page.evaluate(() => location.pathname)}`);
    check(next.horizon_sessions === other.horizon_sessions, `${where}: the link to ${other.horizon_sessions} sessions leads to ${next.horizon_sessions}`);
    check((await text('[data-sentence]')) === next.sentence.tr, `${where}: the page of another horizon keeps the sentence of this one`);
    check((await text('.heading nav a[aria-current="page"]')).startsWith(String(other.horizon_sessions)), `${where}: the horizon shown is not marked`);
  }
  await close();
}

/** A record from which nothing can be computed. */
function unknownRecord(evaluation) {
  const nothing = { estimate: null, bootstrap: null };
  return {
    ...evaluation,
    skill: { ...evaluation.skill, shown: false, rank_ic: null },
    rank_ic: { ...evaluation.rank_ic, ...nothing },
    ic: { ...evaluation.ic, ...nothing },
    hit_rate: { ...evaluation.hit_rate, estimate: null },
    calibration_slope: null,
    comparisons: evaluation.comparisons.map((row) => ({ ...row, loss_difference: null, p_value: null, better: 'not_told_apart' })),
    after_costs: null,
    coverage: [],
    outlook: { direction: null, volatility: null, barriers: null },
    members: [],
    by_year: evaluation.by_year.map((row) => ({ ...row, rank_ic: null, hit_share: null })),
    by_sector: [],
  };
}

/** An alarm stands out, and what is unknown says so instead of leaving a gap. */
async function modelStates(browser, models) {
  const alarm = { code: 'implausible_rank_ic', measured: 0.231, bound: 0.15, text: 'server text' };
  const states = [
    { name: 'alarm', language: 'tr', theme: 'dark', width: 1440, change: (evaluation) => ({ ...evaluation, alarm }) },
    { name: 'unknown', language: 'en', theme: 'light', width: 1440, change: unknownRecord },
    { name: 'unknown', language: 'tr', theme: 'dark', width: 390, change: unknownRecord },
  ];
  for (const { name, language, theme, width, change } of states) {
    const { page, complaints, close } = await openPage(browser, { language, theme, width });
    const where = `model page, ${name} ${theme} ${language} ${width}`;
    await page.route(`**/api/v1${modelPath(models[0])}`, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      await route.fulfill({ response: answer, json: { ...body, evaluation: change(body.evaluation) } });
    });
    await visit(page, modelPath(models[0]), '#symbols-title');
    if (name === 'alarm') {
      const said = await page.locator('[data-alarm][role="alert"]').innerText();
      check(said.includes('0,231') && !said.includes('server text'), `${where}: the alarm reads "${said}"`);
    } else {
      const said = await page.locator('main').innerText();
      check(!/undefined|NaN/.test(said), `${where}: a gap is shown`);
      for (const part of ['reliability', 'bands', 'sectors']) {
        check((await page.locator(`section[aria-labelledby="${part}-title"] p.muted`).count()) === 1, `${where}: ${part} does not say that nothing is known`);
      }
      check((await page.locator('section[aria-labelledby="outlook-title"] p.muted').count()) === 2, `${where}: the outlook does not say that nothing is known`);
    }
    await inspect(page, complaints, where);
    await page.screenshot({ path: join(OUT, `model-${name}-${theme}-${language}-${width}.png`), fullPage: true });
    await close();
  }
}

async function keyboardJourney(browser, symbols) {
  const wanted = symbols.at(-1);
  const { page, complaints, close } = await openPage(browser);
  await visit(page, '/', 'main h1');
  check(page.url().endsWith(`/s/${symbols[0].symbol}`), `the root leads to ${page.url()} and not to ${symbols[0].symbol}`);

  await page.keyboard.press('/');
  await page.waitForSelector('dialog[open] input:focus');
  await page.keyboard.type(wanted.symbol.toLowerCase());
  await page.waitForSelector('[role="option"][aria-selected="true"]');
  await inspect(page, complaints, 'search dialog');
  await page.screenshot({ path: join(OUT, 'search-dark-tr-1440.png') });
  await page.keyboard.press('Enter');
  await page.waitForFunction((path) => location.pathname === path, `/s/${wanted.symbol}`);
  await page.waitForSelector('.canvas canvas', { timeout: WAIT_MS });
  check((await page.locator('main h1').innerText()) === wanted.symbol, `search led to another symbol than ${wanted.symbol}`);

  await page.keyboard.press('j');
  await page.waitForFunction((path) => location.pathname === path, `/s/${symbols[0].symbol}`);
  await page.keyboard.press('k');
  await page.waitForFunction((path) => location.pathname === path, `/s/${wanted.symbol}`);
  await page.goBack();
  await page.waitForFunction((path) => location.pathname === path, `/s/${symbols[0].symbol}`);
  await settled(page);

  await page.locator(`aside tr[data-symbol="${symbols[0].symbol}"] a`).focus();
  await page.keyboard.press('ArrowDown');
  const focused = await page.evaluate(() => document.activeElement?.textContent);
  check(focused === symbols[1].symbol, `the arrow in the watchlist led to ${focused} and not to ${symbols[1].symbol}`);
  await page.keyboard.press('Enter');
  await page.waitForFunction((path) => location.pathname === path, `/s/${symbols[1].symbol}`);

  await page.keyboard.press('t');
  check((await page.evaluate(() => document.documentElement.dataset.theme)) === 'light', 't does not change the theme');
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open] dl');
  await inspect(page, complaints, 'help dialog');
  await page.locator('dialog input[type="checkbox"]').first().uncheck();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelector('dialog') === null);
  await page.keyboard.press('t');
  check((await page.evaluate(() => document.documentElement.dataset.theme)) === 'light', 'a single key works although it is switched off');
  await page.keyboard.press('Control+k');
  await page.waitForSelector('dialog[open] input:focus');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelector('dialog') === null);

  const chart = page.locator('.canvas');
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('+');
  await page.getByRole('button', { name: 'RSI' }).click();
  await page.getByRole('button', { name: 'Tüm geçmiş' }).click();
  await settled(page);
  await page.screenshot({ path: join(OUT, 'all-history-light-tr-1440.png') });
  // The list shrinks while it is worked through, so the first closed one is asked for each time.
  const closed = page.locator('details:not([open]) > summary');
  while ((await closed.count()) > 0) await closed.first().click();
  await settled(page);
  await inspect(page, complaints, 'symbol page, all opened');

  await page.getByRole('button', { name: 'English' }).click();
  check((await page.evaluate(() => document.documentElement.lang)) === 'en', 'the page does not change to English');
  await page.reload({ waitUntil: 'commit' });
  await page.waitForSelector('main h1', { timeout: WAIT_MS });
  check((await page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dataset.theme}`)) === 'en light', 'language and theme are forgotten');
  await settled(page);
  await inspect(page, complaints, 'after reload', { axe: false });
  await close();
}

async function modes(browser, symbol) {
  for (const [name, context] of [
    ['forced-colours', { forcedColors: 'active' }],
    ['reduced-motion', { reducedMotion: 'reduce' }],
  ]) {
    const { page, complaints, close } = await openPage(browser, context);
    await visit(page, `/s/${symbol}`, '.canvas canvas');
    await inspect(page, complaints, name, { axe: name !== 'forced-colours' });
    await page.screenshot({ path: join(OUT, `${name}.png`) });
    await close();
  }
  const { page, complaints, close } = await openPage(browser, { theme: 'light' });
  await page.addInitScript(() => localStorage.setItem('bist.palette', 'cvd'));
  await visit(page, `/s/${symbol}`, '.canvas canvas');
  await inspect(page, complaints, 'colour-blind palette');
  await page.screenshot({ path: join(OUT, 'colour-blind-light-tr-1440.png') });
  await close();
}

/** A part that fails says so with its request id, and the others go on. */
async function failingPart(browser, symbol) {
  const { page, close } = await openPage(browser);
  let isBroken = true;
  await page.route('**/api/v1/signals**', (route) =>
    isBroken
      ? route.fulfill(failure('e2e-42'))
      : route.continue(),
  );
  await visit(page, `/s/${symbol}`, '[role="alert"]');
  check((await page.locator('[role="alert"]').first().innerText()).includes('e2e-42'), 'an error does not show its request id');
  await page.waitForSelector('.canvas canvas', { timeout: WAIT_MS });
  await page.screenshot({ path: join(OUT, 'error-dark-tr-1440.png') });
  isBroken = false;
  await page.locator('[role="alert"] button').first().click();
  await page.waitForSelector('[data-action], .none', { timeout: WAIT_MS });
  check((await page.locator('.fold [role="alert"]').count()) === 0, 'the error stays after a successful retry');
  await close();
}

/** The page of data quality by keyboard: what is kept out, why, what to do, and what was decided. */
async function qualityJourney(browser) {
  const overview = await api('/api/v1/data-quality?limit=1000');
  const kept = await api('/api/v1/data-quality/findings?quarantined=true&limit=1');
  const decided = await api('/api/v1/data-quality/findings?decided=true&limit=1');
  const { page, complaints, close } = await openPage(browser);
  await visit(page, '/quality', 'main .matrix');
  const sum = overview.items.reduce((total, item) => total + item.unverifiable_count, 0);
  const figures = await page.locator('main .figures').innerText();
  check(figures.includes(new Intl.NumberFormat('tr-TR').format(sum)), `the page does not show the ${sum} unverifiable rows`);
  const listed = page.locator('section[aria-labelledby="quarantine-title"]');
  if (kept.items.length > 0) {
    const summary = listed.locator('details > summary').first();
    await summary.focus();
    await page.keyboard.press('Enter');
    const entry = listed.locator('ol > li').first();
    const text = await entry.innerText();
    check(text.includes(kept.items[0].id), `the first finding kept out is not ${kept.items[0].id}`);
    check(!text.includes(kept.items[0].text), 'a finding is told in English on a Turkish page');
    if (kept.items[0].opened_at !== null) check(text.includes(`bist validate accept ${kept.items[0].id}`), 'how to let the row through is not told');
  } else {
    await listed.locator('.card-body').waitFor();
  }
  await inspect(page, complaints, 'quality page, a finding opened');
  await page.screenshot({ path: join(OUT, 'quality-finding-dark-tr-1440.png') });
  await listed.getByRole('button', { name: 'Elle karar verilenler' }).press('Enter');
  await settled(page);
  const entries = await listed.locator('ol > li').count();
  check(decided.items.length > 0 ? entries > 0 : entries === 0, `${entries} decided findings are shown and the API has ${decided.items.length > 0 ? 'some' : 'none'}`);
  const grid = page.locator('section[aria-labelledby="freshness-title"]');
  await grid.getByRole('button', { name: '65 seans' }).press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('section[aria-labelledby="freshness-title"] thead th').length === 3 + 65, undefined, { timeout: WAIT_MS });
  await inspect(page, complaints, 'quality page, a quarter of sessions');
  await page.getByRole('link', { name: 'Sembollere göre' }).press('Enter');
  check(await page.evaluate(() => {
    const top = document.getElementById('symbols-title')?.getBoundingClientRect().top ?? -1;
    return top >= 52 && top < innerHeight;
  }), 'the link within the page leads under the bar or nowhere');
  await close();
}

/** What fails on the page of data quality says so; what was there before stays, and a check that is too old is told. */
async function qualityFailing(browser) {
  const { page, close } = await openPage(browser, { language: 'en' });
  let isBroken = false;
  await page.route('**/api/v1/data-quality/history**', (route) =>
    isBroken
      ? route.fulfill(failure('e2e-43'))
      : route.continue(),
  );
  await page.route('**/api/v1/data-quality/sources', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, items: body.items.map((item) => ({ ...item, last_success_at: '2999-01-01T00:00:00Z' })) } });
  });
  await visit(page, '/quality', 'main .unchecked');
  check((await page.locator('main .unchecked').innerText()).includes('bist validate --all'), 'data that were not checked yet are not told, with what to do');
  isBroken = true;
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.waitForSelector('[role="alert"]');
  check((await page.locator('[role="alert"]').innerText()).includes('e2e-43'), 'an error of the page of data quality does not show its request id');
  check((await page.locator('section[aria-labelledby="history-title"] svg[role="img"] path').count()) === 1, 'the last answer went away when the next one failed');
  await page.screenshot({ path: join(OUT, 'quality-error-dark-en-1440.png') });
  isBroken = false;
  await page.locator('[role="alert"] button').click();
  await page.waitForFunction(() => document.querySelector('[role="alert"]') === null, undefined, { timeout: WAIT_MS });
  await close();
}

async function emptyStore(browser) {
  const { page, complaints, close } = await openPage(browser);
  await page.route('**/api/v1/symbols**', (route) => route.fulfill({ status: 200, contentType: 'application/json', body: '{"items":[],"next":null}' }));
  await visit(page, '/', 'main h1');
  const text = await page.locator('main').innerText();
  check(text.includes('bist sample') && text.includes('bist ingest csv DIR'), 'an empty store does not say what to type');
  await inspect(page, complaints, 'empty store');
  await page.screenshot({ path: join(OUT, 'empty-dark-tr-1440.png') });
  const nothing = { as_of: null, threshold_share: 0.95, good_share: 0.97, score_share: null, band: null, sources: [], items: [], next: null };
  await page.route('**/api/v1/data-quality?**', (route) => route.fulfill({ json: nothing }));
  await page.route('**/api/v1/data-quality/sources', (route) =>
    route.fulfill({ json: { as_of: '2026-11-20T12:00:00Z', items: [], live: null, nightly: { enabled: false, next_run_at: null, last_run: null } } }),
  );
  await visit(page, '/quality', 'main .empty');
  check((await page.locator('main').innerText()).includes('bist validate --all'), 'a store without a check does not say what to type');
  await inspect(page, complaints, 'empty data quality');
  await page.screenshot({ path: join(OUT, 'quality-empty-dark-tr-1440.png') });
  await close();
}

async function unknownAddresses(browser) {
  const { page, complaints, close } = await openPage(browser);
  for (const path of ['/nothing/here', '/s/YOKBOYLE1']) {
    await visit(page, path, 'main h1');
    await inspect(page, complaints, path);
  }
  await close();
}

async function apiDocs(browser) {
  const { page, complaints, close } = await openPage(browser);
  await visit(page, '/api/docs', '.swagger-ui .opblock');
  // Swagger UI's own accessibility defects are not ours to assert.
  await inspect(page, complaints, 'api docs', { axe: false });
  await page.screenshot({ path: join(OUT, 'api-docs.png') });
  await close();
}

mkdirSync(OUT, { recursive: true });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const owner = await signIn(browser, { invitation: INVITATION });
const symbols = (await api('/api/v1/symbols?limit=1000')).items;
if (symbols.length < 2) throw new Error(`the server has ${symbols.length} symbols; the journeys need two`);
const signals = new Map((await api('/api/v1/signals')).items.map((signal) => [signal.symbol, signal]));
const models = (await api('/api/v1/models')).items;
const explained = symbols.filter((symbol) => signals.has(symbol.symbol));
const studies = (await api('/api/v1/studies')).items;
const experiments = (await api('/api/v1/experiments')).items;

mustBeNowhere('invitation', INVITATION.split('#')[1]);
try {
  const run = await jobsJourney(browser).catch((error) => check(false, error.stack.split('\n').slice(0, 4).join(' ')));
  const routes = [
    { name: 'symbol', path: `/s/${symbols[0].symbol}`, selector: '.canvas canvas' },
    { name: 'market', path: '/market', selector: 'main [data-regime]' },
    { name: 'screener', path: '/screener', selector: 'main [data-found]' },
    { name: 'quality', path: '/quality', selector: 'main .matrix' },
    { name: 'quality-symbol', path: `/quality/${symbols[0].symbol}`, selector: 'main dl' },
    { name: 'models', path: '/models', selector: models.length > 0 ? 'main table' : 'main .empty' },
    ...(models.length > 0 ? [{ name: 'model', path: modelPath(models[0]), selector: '#symbols-title' }] : []),
    { name: 'experiments', path: '/experiments', selector: experiments.length > 0 ? 'main [data-experiment]' : 'main .empty' },
    ...experiments.slice(0, 1).map(({ id }) => ({ name: 'experiment', path: `/experiments/${id}`, selector: 'main [data-experiment-sentence]' })),
    { name: 'record', path: '/record', selector: 'main [data-record], main .empty' },
    { name: 'portfolio', path: '/portfolio', selector: 'main [data-summary], main [data-open-portfolio]' },
    { name: 'orders', path: '/orders', selector: 'main [data-ticket], main [data-no-portfolio]' },
    { name: 'jobs', path: '/jobs', selector: 'main [data-job-runs]' },
    { name: 'job', path: `/jobs/${run}`, selector: 'main [data-job-stages]' },
    { name: 'studies', path: '/studies', selector: studies.length > 0 ? 'main [data-study]' : 'main .empty' },
    ...studies.slice(0, 2).map((study, index) => ({ name: `study-${index}`, path: studyPath(study), selector: 'main [data-trials]' })),
    { name: 'about', path: '/about', selector: 'main .credits' },
    ...ADMIN_ROUTES,
  ];
  await together(LOOKS.map((look) => () => lookAt(browser, look, routes)));
  // One symbol of each kind that the data has.
  const kinds = new Map(symbols.map((symbol) => [`${symbol.origin} ${signals.get(symbol.symbol)?.action}`, symbol]));
  // How pages look when something fails or is not there, which answers that are made up say, and not the data.
  const states = [
    () => modes(browser, symbols[0].symbol),
    () => failingPart(browser, symbols[0].symbol),
    ...(models.length > 0 ? [() => modelStates(browser, models)] : []),
    () => recordStates(browser),
    () => emptyStudies(browser),
    () => qualityFailing(browser),
    () => emptyStore(browser),
    () => unknownAddresses(browser),
    () => apiDocs(browser),
  ];
  const reading = [
    ...[...kinds.values()].map((symbol) => () => agreement(browser, symbol, signals.get(symbol.symbol) ?? null)),
    () => keyboardJourney(browser, symbols),
    ...LANGUAGES.flatMap((language) => [symbols[0], symbols.at(-1)].map((symbol) => () => horizonJourney(browser, symbol, language))),
    ...(explained.length > 0 ? [[1440, 'tr'], [390, 'en']].map(([width, language]) => () => withinSession(browser, explained[0], width, language)) : []),
    ...(models.length > 0 ? [() => modelJourney(browser, models), () => registryJourney(browser, models)] : []),
    ...(explained.length > 1 ? LANGUAGES.map((language, index) => () => explanationJourney(browser, symbols.find((one) => one !== explained[index]), explained[index], language)) : []),
    ...(studies.length > 0 ? [...LANGUAGES.map((language) => () => clickedStudy(browser, studies, language)), () => studyJourney(browser, studies), () => runningStudy(browser, studies[0]), () => failingStudy(browser, studies[0])] : []),
    () => marketJourney(browser),
    () => qualityJourney(browser),
    ...(DATA_ONLY ? [] : states),
  ];
  const changing = [
    () => liveJourney(browser),
    () => alertsJourney(browser),
    // What access looks like does not depend on the data, nor does what hostile texts come to; and on prices
    // that are old no ticket opens.
    ...(DATA_ONLY ? [] : [() => tradingJourney(browser, owner), () => adminJourney(browser, owner), () => accessJourney(browser, owner), () => passkeysJourney(browser, owner), () => injectionJourney(browser, owner)]),
  ];
  const done = (step) => step().catch((error) => check(false, error.stack.split('\n').slice(0, 4).join(' ')));
  await together(reading.map((step) => () => done(step)));
  for (const step of changing) await done(step);
} finally {
  await browser.close();
}
if (LOG !== undefined) {
  const { count, found } = secretsIn(LOG);
  check(found.length === 0, `the log of the server holds secrets: ${found.join(', ')}`);
  // Passwords, codes, sessions and e-mail addresses were there to be found.
  check(count >= 10, `only ${count} secrets were looked for in the log`);
}
console.log(`${checksCount()} checks, ${failures.length} failed; screenshots in ${OUT}`);
process.exit(failures.length === 0 ? 0 : 1);
