// The registry: the list as it is filtered, a version with its history, its card, and beside another.
import { join } from 'node:path';
import { api, ask, check, inspect, modelPath, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';

/** Goes from the list to a version, reads its card, and compares it with another one if there is one. */
export async function registryJourney(browser, models) {
  const { page, complaints, close } = await openPage(browser, { language: 'en' });
  await visit(page, '/models', '[data-versions]');
  for (const state of ['champion', 'retired']) {
    await visit(page, `/models?state=${state}`, 'main [data-versions], main .empty');
    const wanted = models.filter((model) => model.state === state).length;
    const shown = await page.locator('[data-version]').count();
    check(shown === wanted, `registry: ${shown} versions for ${wanted} that are ${state}`);
  }
  await inspect(page, complaints, 'registry, filtered');

  const model = models.find((one) => one.state === 'champion' && one.horizon_sessions === 5) ?? models[0];
  const where = `registry ${model.version}`;
  await visit(page, `/models?state=${model.state}`, `[data-version="${model.version}"]`);
  await page.locator(`[data-version="${model.version}"] a`).first().click();
  await page.waitForSelector('[data-lineage]', { timeout: WAIT_MS });
  await settled(page);
  const told = await api(`/api/v1${modelPath(model)}`);
  check((await page.locator('[data-changes] > li').count()) > 0, `${where}: it is not told how it came to stand there`);
  const lineage = await page.locator('[data-lineage]').innerText();
  for (const fact of [told.snapshot_hash, told.artifact_sha256, told.lineage.code_version]) {
    check(lineage.includes(fact), `${where}: ${fact} is missing in the lineage`);
  }
  const took = told.training_seconds;
  check(took === null || lineage.includes(`${took.toFixed(1)} s`), `${where}: how long training took is not told`);

  const links = await page.locator('[data-card] a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  check(links.length === 2, `${where}: the card is not offered as Markdown and JSON`);
  const [markdown, json] = await Promise.all(links.map(ask));
  check((markdown.headers.get('content-type') ?? '').startsWith('text/markdown'), `${where}: the card is no Markdown`);
  const text = await markdown.text();
  check(text.startsWith(`# Model card: ${model.version}\n`), `${where}: the card begins with ${text.slice(0, 60)}`);
  const card = await json.json();
  check(text.includes(card.headline.en) && text.includes(card.skill.sentence.en), `${where}: the two forms of the card differ`);

  const others = models.filter((one) => one.horizon === model.horizon && one.version !== model.version);
  if (others.length > 0) {
    await page.waitForSelector('[data-version-comparison] [data-cautions]', { timeout: WAIT_MS });
    const select = page.locator('[data-version-comparison] select');
    await select.selectOption(others.at(-1).version);
    await page.waitForFunction((version) => new URLSearchParams(location.search).get('against') === version, others.at(-1).version);
    await settled(page);
    const difference = await api(`/api/v1${modelPath(model)}/diff?against=${others.at(-1).version}`);
    check((await page.locator('[data-field]').count()) === difference.lineage.length, `${where}: not a row a field that differs`);
  }
  await inspect(page, complaints, where);
  await page.screenshot({ path: join(OUT, 'registry-version.png'), fullPage: true });
  await close();
}
