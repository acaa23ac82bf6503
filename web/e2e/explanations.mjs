// The explanation panel of a symbol, clicked through: what it says is what the API says, whichever method is
// asked for, and another value of a feature moves the forecast that is shown.
import { join } from 'node:path';
import { api, check, inspect, openPage, OUT, SAMPLE_WORD, settled, visit, WAIT_MS } from './browser.mjs';

const LOCALE = { tr: 'tr-TR', en: 'en-GB' };

/** As the page writes a part of a forecast. */
const signed = (language, share, digits = 3) =>
  new Intl.NumberFormat(LOCALE[language], { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: 'exceptZero' }).format(share);
const plain = (language, value, digits = 0) =>
  new Intl.NumberFormat(LOCALE[language], { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** What stands in each, before the style of the page changes the case of its first letter. */
const written = async (locator) => (await locator.allTextContents()).map((text) => text.replaceAll(/\s+/g, ' '));

/** From the list of symbols to the panel, by both methods, to a forecast with another value. */
export async function explanationJourney(browser, from, symbol, language) {
  const { page, complaints, close } = await openPage(browser, { language, theme: language === 'tr' ? 'dark' : 'light' });
  const where = `explanation of ${symbol.symbol} in ${language}`;
  await visit(page, `/s/${from.symbol}`, 'aside tr[data-symbol]');
  await page.locator(`aside tr[data-symbol="${symbol.symbol}"] a`).click();
  await page.waitForFunction((path) => location.pathname === path, `/s/${symbol.symbol}`);
  await page.waitForSelector('[data-waterfall]', { timeout: WAIT_MS });
  await settled(page);
  const panel = page.locator('[data-explanation]');

  const shap = await api(`/api/v1/explanations?symbol=${symbol.symbol}&horizon=5&method=shap`);
  check((await panel.locator('[data-reasons]').innerText()) === shap.reasons[language], `${where}: the reasons are not those of the API`);
  const sample = panel.locator('h2 [data-sample]');
  check((await sample.count()) === (symbol.origin === 'sample' ? 1 : 0), `${where}: the sample label is not that of the API`);
  if (symbol.origin === 'sample') check((await sample.innerText()) === SAMPLE_WORD[language], `${where}: the label does not read ${SAMPLE_WORD[language]}`);
  const parts = await written(panel.locator('[data-waterfall] .effect'));
  check(parts.at(-1).includes(signed(language, shap.forecast_share)), `${where}: the waterfall does not end at the forecast`);
  shap.items.slice(0, 10).forEach((item, index) => {
    const text = parts[index + 1] ?? 'nothing';
    check(text.includes(item.text[language]) && text.includes(signed(language, item.contribution_share)), `${where}: "${text}" stands where the API has ${item.feature}`);
  });

  await panel.locator('[data-method="lime"]').click();
  await panel.locator('[data-lime]').waitFor({ timeout: WAIT_MS });
  const lime = await api(`/api/v1/explanations?symbol=${symbol.symbol}&horizon=5&method=lime`);
  check((await panel.locator('[data-method="lime"][aria-pressed="true"]').count()) === 1, `${where}: LIME is not shown as chosen`);
  const bars = await written(panel.locator('[data-lime] .effect'));
  check(bars.length === lime.items.length, `${where}: ${bars.length} bars for ${lime.items.length} features`);
  lime.items.forEach((item, index) => check((bars[index] ?? '').includes(item.text[language]), `${where}: bar ${index} of LIME is not ${item.feature}`));
  const spreads = lime.items.filter((item) => item.repeats.deviation_share !== null).length;
  check((await panel.locator('[data-whisker]').count()) === spreads, `${where}: not a whisker for each of ${spreads} features that came again`);
  const { r_squared, kernel_width, seed, samples_count } = lime.quality;
  const quality = await panel.locator('[data-quality]').innerText();
  for (const told of [plain(language, r_squared, 2), plain(language, kernel_width, 2), plain(language, seed), plain(language, samples_count)]) {
    check(quality.includes(told), `${where}: what LIME says of itself lacks ${told}: "${quality}"`);
  }
  const closed = panel.locator('details:not([open]) > summary');
  while ((await closed.count()) > 0) await closed.first().click();
  await inspect(page, complaints, `${where}, LIME`);
  await panel.screenshot({ path: join(OUT, `explanation-lime-${language}.png`) });

  await panel.locator('[data-method="shap"]').click();
  await panel.locator('[data-what-if] input').first().waitFor({ timeout: WAIT_MS });
  await whatIf(page, panel, symbol, shap, language, where);
  await inspect(page, complaints, `${where}, another value`);
  await panel.screenshot({ path: join(OUT, `explanation-what-if-${language}.png`) });
  await close();
}

/** The strongest feature that moves the forecast when its sign is turned is turned; then all is as it was. */
async function whatIf(page, panel, symbol, shap, language, where) {
  const fields = shap.items.filter((item) => item.value !== null).slice(0, 5);
  const field = fields.find((item) => item.value !== 0);
  const wanted = Number((-field.value).toPrecision(3));
  const answered = page.waitForResponse((response) => response.url().endsWith('/explanations/what-if'), { timeout: WAIT_MS });
  await panel.locator(`[data-what-if] input[data-feature="${field.feature}"]`).fill(String(wanted));
  const answer = await (await answered).json();
  await panel.locator('[data-after]').waitFor({ timeout: WAIT_MS });
  check(answer.changes.length === 1 && answer.changes[0].feature === field.feature && answer.changes[0].after === wanted, `${where}: another change was asked for than ${field.feature} ${wanted}`);
  check(answer.symbol === symbol.symbol, `${where}: another symbol was asked about`);
  const moved = answer.after.forecast_share - answer.before.forecast_share;
  check(Math.abs(moved) > 1e-9, `${where}: ${field.feature} at ${wanted} does not move the forecast`);
  check((await panel.locator('[data-after]').innerText()) === signed(language, answer.after.forecast_share), `${where}: the forecast that is shown is not the changed one`);
  const told = await panel.locator('[data-what-if]').innerText();
  check(told.includes(field.value_text[language]) && told.includes(answer.changes[0].after_text[language]), `${where}: the values are not told in the words of the API`);
  check(told.includes(answer.held_fixed[language]), `${where}: what stays as it is is not told`);
  check(told.includes(signed(language, answer.moved[0].change_share)), `${where}: what moved most is not told`);
  await panel.locator('[data-what-if] button').click();
  check((await panel.locator('[data-after]').count()) === 0, `${where}: a change cannot be taken back`);
}
