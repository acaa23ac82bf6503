// The pages of studies: what they say is what the API says, brushes and tables work by keyboard, and a
// study that runs is followed without being asked for when nobody looks.
import { join } from 'node:path';
import { api, check, failure, inspect, numberTr, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';

/** A little more than the page waits before it asks again for a study that runs. */
const POLL_MS = 2100;

export const studyPath = (study) => `/studies/${encodeURIComponent(study.name)}`;
const apiPath = (study) => `/api/v1${studyPath(study)}`;

/** The page of a study with one objective, and of one with two where there is one. */
export async function studyJourney(browser, studies) {
  const { page, complaints, close } = await openPage(browser);
  await visit(page, '/studies', 'main [data-study]');
  for (const study of studies) {
    const row = page.locator(`[data-study="${study.name}"]`);
    check((await row.locator(`[data-study-state="${study.state}"]`).count()) === 1, `studies: ${study.name} is not shown as ${study.state}`);
    check((await row.locator('[data-sample]').count()) === (study.origin === 'sample' ? 1 : 0), `studies: the sample label of ${study.name} is not that of the API`);
  }
  await inspect(page, complaints, 'studies');
  const single = studies.find((study) => study.best !== null);
  const several = studies.find((study) => study.objectives.length > 1);
  for (const study of [single, several].filter((study) => study !== undefined)) await oneStudy(page, complaints, study);
  await close();
}

/** From the list to a study and to one of its trials, by pointer: what is shown of the trial is what the API has. */
export async function clickedStudy(browser, studies, language) {
  const study = studies.find((one) => one.best !== null);
  if (study === undefined) return;
  const where = `study ${study.name} clicked through in ${language}`;
  const { page, complaints, close } = await openPage(browser, { language, theme: language === 'tr' ? 'light' : 'dark' });
  await visit(page, '/studies', 'main [data-study]');
  await page.locator(`[data-study="${study.name}"] a`).click();
  await page.waitForFunction((path) => location.pathname === path, studyPath(study));
  await page.waitForSelector('main [data-trials]', { timeout: WAIT_MS });
  await settled(page);
  check((await page.locator('h1').innerText()) === study.name, `${where}: the page is that of another study`);

  const { points } = await api(`${apiPath(study)}/history`);
  const best = points.find((point) => point.number === study.best.number);
  const words = { tr: { trial: 'Deneme', complete: 'tamamlandı' }, en: { trial: 'Trial', complete: 'complete' } }[language];
  const number = (value) =>
    new Intl.NumberFormat(language === 'tr' ? 'tr-TR' : 'en-GB', { maximumSignificantDigits: 4, notation: Math.abs(value) < 1e-4 && value !== 0 ? 'scientific' : 'standard' }).format(value);
  const legend = page.locator('section[aria-labelledby="history-title"] .chosen-trial');
  check(!(await legend.innerText()).includes(`${words.trial} ${study.best.number}`), `${where}: a trial is chosen before it is pointed at`);
  // The arrow keys find where its mark is; then they let go of it.
  const plot = page.locator('section[aria-labelledby="history-title"] svg[role="img"]').first();
  const drawn = points.filter((point) => point.state !== 'waiting');
  await plot.focus();
  for (let at = drawn.length - 1; at >= drawn.indexOf(best); at -= 1) await page.keyboard.press('ArrowLeft');
  const ring = await plot.locator('circle').boundingBox();
  await page.keyboard.press('Escape');
  await page.mouse.move(ring.x + ring.width / 2, ring.y + ring.height / 2);
  const told = (await legend.innerText()).replaceAll('\n', ' ');
  for (const part of [`${words.trial} ${study.best.number}`, number(best.value), words.complete]) {
    check(told.includes(part), `${where}: of the trial that is pointed at "${told}" is told, without ${part}`);
  }
  check((await page.locator('section[aria-labelledby="slice-title"] .chosen-trial').innerText()).includes(`${words.trial} ${study.best.number}`), `${where}: the slice does not show the trial that is pointed at`);
  check((await page.locator('[data-parallel] .highlighted').count()) === 1, `${where}: the parallel coordinates do not show the trial that is pointed at`);
  const row = await page.locator(`[data-trials] tr[data-trial="${study.best.number}"]`).innerText();
  check(row.includes(number(best.value)) && row.includes(words.complete), `${where}: the row of the best trial reads "${row}"`);
  for (const [param, value] of Object.entries(study.best.params)) {
    const shown = typeof value === 'number' ? number(value) : String(value);
    check(row.split(/\s+/).includes(shown), `${where}: ${param} ${shown} is not in the row of the best trial`);
  }
  const select = page.locator('section[aria-labelledby="slice-title"] select');
  const current = await select.inputValue();
  const other = (await select.locator('option').allInnerTexts()).find((param) => param !== current) ?? current;
  await select.selectOption(other);
  await page.waitForFunction((param) => document.querySelector('section[aria-labelledby="slice-title"] svg[role="img"]')?.getAttribute('aria-label')?.includes(param), other, { timeout: WAIT_MS });
  // The same page is searched for barriers by the journey of the keyboard.
  await inspect(page, complaints, where, { axe: false });
  await close();
}

async function oneStudy(page, complaints, study) {
  const where = `study ${study.name}`;
  const [details, history, parallel, trials] = await Promise.all([
    api(apiPath(study)),
    api(`${apiPath(study)}/history`),
    api(`${apiPath(study)}/parallel-coordinates`),
    api(`${apiPath(study)}/trials?limit=1`),
  ]);
  await visit(page, studyPath(study), 'main [data-trials]');
  check((await page.locator('h1 ~ [data-sample]').count()) === (study.origin === 'sample' ? 1 : 0), `${where}: the sample label is not that of the API`);
  const best = await page.locator('[data-best]').innerText();
  const finished = details.trials.complete + details.trials.pruned + details.trials.fail;
  check(best.includes(numberTr(finished)), `${where}: how many trials it took is not told`);
  if (details.holdout !== null) {
    check((await page.locator('[data-holdout]').innerText()).includes(details.holdout.sentence.tr), `${where}: the sentence on the hold-out is not that of the API`);
  } else {
    check((await page.locator('[data-no-holdout]').count()) === 1, `${where}: a missing comparison on the hold-out is not told`);
  }
  check((await page.locator('[data-deflated]').count()) === (details.deflated === null ? 0 : 1), `${where}: what is left of the best value is not that of the API`);

  const plot = page.locator('section[aria-labelledby="history-title"] svg[role="img"]').first();
  await plot.focus();
  await page.keyboard.press('ArrowLeft');
  const drawn = history.points.filter((point) => point.state !== 'waiting');
  const last = drawn.at(-1);
  check((await page.locator('section[aria-labelledby="history-title"] .chosen-trial').innerText()).includes(`Deneme ${numberTr(last.number)}`), `${where}: the arrow keys do not choose the last trial`);

  const lines = parallel.lines.length;
  if (lines > 1) await brush(page, where, lines);
  const table = page.locator('[data-trials] tbody tr');
  check((await table.first().getAttribute('data-trial')) === String(history.points.length - 1), `${where}: the newest trial is not the first of the table`);
  const byNumber = page.locator('[data-trials] thead button').first();
  await byNumber.press('Enter');
  await page.waitForFunction((number) => document.querySelector('[data-trials] tbody tr')?.getAttribute('data-trial') === String(number), trials.items[0].number, { timeout: WAIT_MS });
  check((await page.locator('[data-trials] th[aria-sort="ascending"]').count()) === 1, `${where}: the order of the table is not told`);
  await page.locator('section[aria-labelledby="trials-title"] select').selectOption({ label: 'tamamlandı' });
  await page.waitForFunction((count) => document.querySelectorAll('[data-trials] tbody tr').length === count, Math.min(50, details.trials.complete), { timeout: WAIT_MS });

  if (details.objectives.length === 2) {
    const pareto = await api(`${apiPath(study)}/pareto`);
    const front = pareto.points.filter((point) => point.on_front).length;
    check((await page.locator('section[aria-labelledby="pareto-title"] svg[role="img"]').getAttribute('aria-label')).includes(`${numberTr(front)} tanesi cephede`), `${where}: the front is not that of the API`);
  }
  const closed = page.locator('main details:not([open]) > summary');
  while ((await closed.count()) > 0) await closed.first().click();
  await settled(page);
  await inspect(page, complaints, `${where}, all opened`);
  await page.screenshot({ path: join(OUT, `study-${study.objectives.length}-opened-dark-tr-1440.png`), fullPage: true });
}

/** A brush by keyboard and by pointer keeps fewer trials, says how many, and can be taken away. */
async function brush(page, where, lines) {
  const section = page.locator('section[aria-labelledby="parallel-title"]');
  const status = section.locator('[role="status"]');
  const lower = section.locator('[role="slider"]').nth(1);
  await lower.focus();
  for (let press = 0; press < 5; press += 1) await page.keyboard.press('PageUp');
  const text = await status.innerText();
  const kept = Number(text.split(' / ')[0].replaceAll('.', ''));
  check(text.includes(`/ ${numberTr(lines)}`) && kept > 0 && kept < lines, `${where}: a brush on the upper half of the values keeps "${text}"`);
  check((await lower.getAttribute('aria-valuenow')) === '50', `${where}: the end of a brush does not tell where it is`);
  await section.getByRole('button').first().press('Enter');
  check((await status.innerText()) === '', `${where}: a brush cannot be taken away`);
  const grasp = section.locator('.grasp').first();
  await grasp.scrollIntoViewIfNeeded();
  const box = await grasp.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3, { steps: 4 });
  await page.mouse.up();
  check((await status.innerText()).includes(' / '), `${where}: a brush cannot be drawn with the pointer`);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  check((await status.innerText()) === '', `${where}: a press does not take the brush away`);
}

/** A study that runs is asked for again, with the tag of what is shown, and not while the page is hidden. */
export async function runningStudy(browser, study) {
  const { page, close } = await openPage(browser);
  const tags = [];
  await page.route(`**${apiPath(study)}`, async (route) => {
    tags.push(route.request().headers()['if-none-match'] ?? null);
    if (tags.length > 1) return route.fulfill({ status: 304 });
    const answer = await route.fetch();
    return route.fulfill({ response: answer, json: { ...(await answer.json()), state: 'running' } });
  });
  // The clock of the page goes on when it is told to.
  await page.clock.install();
  await visit(page, studyPath(study), 'main [data-trials]');
  await page.evaluate(() => (window.drawnOnce = document.querySelector('[data-trials]')));
  for (const _ of [1, 2]) {
    const answered = page.waitForResponse((response) => response.url().endsWith(apiPath(study)), { timeout: WAIT_MS });
    await page.clock.fastForward(POLL_MS);
    await answered;
    await settled(page);
  }
  check(tags[0] === null && tags[1] !== null && tags[2] === tags[1], `a running study is asked for with the tags ${tags.join(', ')}`);
  check(await page.evaluate(() => document.querySelector('[data-trials]') === window.drawnOnce), 'a study that has not changed is drawn anew');
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  const asked = tags.length;
  await page.clock.fastForward(10 * POLL_MS);
  await settled(page);
  check(tags.length === asked, 'a study is asked for while nobody looks');
  await close();
}

/** What cannot be had says so, and the last answer stays. */
export async function failingStudy(browser, study) {
  const { page, close } = await openPage(browser, { language: 'en', theme: 'light' });
  let isBroken = true;
  await page.route(`**${apiPath(study)}/importances**`, (route) =>
    isBroken ? route.fulfill(failure('e2e-44')) : route.continue(),
  );
  await visit(page, studyPath(study), '[role="alert"]');
  check((await page.locator('[role="alert"]').innerText()).includes('e2e-44'), 'an error of the page of a study does not show its request id');
  check((await page.locator('section[aria-labelledby="history-title"] svg[role="img"]').count()) > 0, 'the history goes away when the importances fail');
  await page.screenshot({ path: join(OUT, 'study-error-light-en-1440.png') });
  isBroken = false;
  await page.locator('[role="alert"] button').click();
  await page.waitForFunction(() => document.querySelector('[role="alert"]') === null, undefined, { timeout: WAIT_MS });
  await close();
}

export async function emptyStudies(browser) {
  const { page, complaints, close } = await openPage(browser);
  await page.route('**/api/v1/studies?**', (route) => route.fulfill({ json: { items: [], next: null } }));
  await visit(page, '/studies', 'main .empty');
  check((await page.locator('main').innerText()).includes('bist tune'), 'without a study it is not told what to type');
  await inspect(page, complaints, 'no study');
  await page.screenshot({ path: join(OUT, 'studies-empty-dark-tr-1440.png') });
  await close();
}
