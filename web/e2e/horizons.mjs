// How far ahead the page of a symbol looks: each horizon is chosen, and what is shown is what the API says of it, or
// why there is nothing and what to type.
import { join } from 'node:path';
import { api, check, inspect, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';

const HORIZONS = ['1h', 'eod', '1', '5', '20'];
const isWithinSession = (horizon) => horizon === '1h' || horizon === 'eod';
const LOCALE = { tr: 'tr-TR', en: 'en-GB' };
const percent = (language, share) =>
  new Intl.NumberFormat(LOCALE[language], { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(share);

/** Chooses a horizon, and waits until its answers are there. */
async function choose(page, horizon) {
  const select = page.locator('.fold section select');
  if ((await select.inputValue()) !== horizon) {
    const answered = ['forecasts', 'signals'].map((name) =>
      page.waitForResponse((response) => response.url().includes(`/api/v1/${name}?`) && response.url().includes(`horizon=${horizon}`), { timeout: WAIT_MS }),
    );
    await select.selectOption(horizon);
    await Promise.all(answered);
  }
  await page.waitForSelector('.fold [data-action], .fold [data-absence]', { timeout: WAIT_MS });
  await settled(page);
}

/** Why the API has no signal of a horizon for a symbol. */
async function absenceOf(horizon) {
  if ((await api(`/api/v1/signals?horizon=${horizon}&limit=1`)).items.length > 0) return 'not_of_symbol';
  return (await api(`/api/v1/models?horizon=${horizon}&state=champion&limit=1`)).items.length > 0 ? 'not_made' : 'no_model';
}

/** Strip, outlook, chart, tables and panels of a forecast within a session tell its times and no sessions. */
async function tellsTimes(page, language, signal, forecast, where) {
  const text = (selector) => page.locator(selector).innerText();
  check((await text('[data-seen-from]')).includes(signal.as_of_time), `${where}: the strip does not say from which hour it looks`);
  check((await text('[data-valid-until]')).includes(signal.valid_until_time), `${where}: the strip does not say when it ends`);
  const foot = await text('.chart .foot');
  check(foot.includes(forecast.steps[0].time), `${where}: the chart does not say for which hour the forecast is: "${foot}"`);
  await page.waitForSelector('[data-outlook]', { timeout: WAIT_MS });
  const outlook = await text('[data-outlook]');
  if (forecast.volatility_share !== null) check(outlook.includes(percent(language, forecast.volatility_share)), `${where}: the volatility is not that of the API`);
  check(!/günlük|daily|seans|session/.test(outlook), `${where}: the outlook speaks of days or sessions: "${outlook}"`);
  const row = page.locator('details[open] table tbody tr').filter({ hasText: forecast.steps[0].time });
  check((await row.count()) === 1, `${where}: the table of the forecast has no row of its hour`);
}

/** Each horizon in turn, on whatever data there are. */
export async function horizonJourney(browser, symbol, language) {
  const { page, complaints, close } = await openPage(browser, { language, theme: language === 'tr' ? 'dark' : 'light' });
  await visit(page, `/s/${symbol.symbol}`, '.fold section select');
  const offered = await page.locator('.fold section select option').evaluateAll((options) => options.map((option) => option.value));
  check(offered.join() === HORIZONS.join(), `the page of a symbol offers the horizons ${offered.join()}`);
  for (const horizon of HORIZONS) {
    const where = `symbol ${symbol.symbol}, horizon ${horizon} ${language}`;
    await choose(page, horizon);
    const query = `symbol=${symbol.symbol}&horizon=${horizon}`;
    const [signal] = (await api(`/api/v1/signals?${query}`)).items;
    if (signal === undefined) {
      const absence = await absenceOf(horizon);
      check((await page.locator(`.fold [data-absence="${absence}"]`).count()) === 1, `${where}: it is not told that there is no signal, ${absence}`);
      const said = await page.locator('.fold [data-absence]').innerText();
      const command = isWithinSession(horizon) ? `bist signals --horizon ${horizon}` : 'bist signals';
      check(said.includes(command), `${where}: it is not told what to type: "${said}"`);
      if (isWithinSession(horizon) && absence !== 'not_made') check(said.includes('THYAO_60m.csv'), `${where}: it is not told which files to bring: "${said}"`);
      if (isWithinSession(horizon) && absence === 'no_model') check(said.includes('bist train --interval 60m'), `${where}: it is not told how to train: "${said}"`);
      for (const part of ['[data-explanation]', '[data-outlook]', '#record-title']) {
        check((await page.locator(part).count()) === 0, `${where}: ${part} shows another horizon`);
      }
    } else {
      await page.waitForSelector('#record-title', { timeout: WAIT_MS });
      check((await page.locator('.fold .model').innerText()).includes(signal.model_version), `${where}: the model is not ${signal.model_version}`);
      const [forecast] = (await api(`/api/v1/forecasts?${query}`)).items;
      if (isWithinSession(horizon)) await tellsTimes(page, language, signal, forecast, where);
    }
    await inspect(page, complaints, where, { axe: isWithinSession(horizon) });
    if (isWithinSession(horizon)) await page.screenshot({ path: join(OUT, `horizon-${horizon}-${symbol.symbol}-${language}.png`) });
  }
  await close();
}

/** The page with an hourly forecast, made of the daily one where the data have none, in the session after the last daily bar. */
export async function withinSession(browser, symbol, width, language) {
  const { page, complaints, close } = await openPage(browser, { width, language });
  const where = `a forecast within a session ${width} ${language}`;
  const times = { horizon: '1h', horizon_sessions: 1, as_of_time: '14:00' };
  const [daily] = (await api(`/api/v1/forecasts?symbol=${symbol.symbol}&horizon=1`)).items;
  const [daySignal] = (await api(`/api/v1/signals?symbol=${symbol.symbol}&horizon=1`)).items;
  const day = daily.steps[0].day ?? daily.as_of;
  const forecast = { ...daily, ...times, as_of: day, steps: [{ ...daily.steps[0], day, time: '15:00' }] };
  const signal = { ...daySignal, ...times, as_of: day, next_session: day, valid_until: day, valid_until_time: '15:00' };
  const page1 = (item) => ({ json: { items: [item], next: null } });
  await page.route('**/api/v1/forecasts?**horizon=1h', (route) => route.fulfill(page1(forecast)));
  await page.route('**/api/v1/signals?**horizon=1h', (route) => route.fulfill(page1(signal)));
  await page.route('**/api/v1/explanations?**horizon=1h**', async (route) => {
    const answer = await route.fetch({ url: route.request().url().replace('horizon=1h', 'horizon=1') });
    await route.fulfill({ response: answer, json: { ...(await answer.json()), ...times } });
  });
  await visit(page, `/s/${symbol.symbol}`, '.fold section select');
  await choose(page, '1h');
  await page.waitForSelector('[data-waterfall]', { timeout: WAIT_MS });
  await tellsTimes(page, language, signal, forecast, where);
  const foot = await page.locator('.chart .foot').innerText();
  check(foot.includes('14:00') && (await page.locator('[data-too-far]').count()) === 0, `${where}: the box is not explained: "${foot}"`);
  await inspect(page, complaints, where);
  await page.screenshot({ path: join(OUT, `within-session-dark-${language}-${width}.png`) });
  await close();
}
