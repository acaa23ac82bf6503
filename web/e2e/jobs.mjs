// The pages of background work: a retraining is asked for, watched to its end, and read again.
import { join } from 'node:path';
import { api, check, inspect, openPage, OUT, settled, visit, WAIT_MS } from './browser.mjs';

/** A run takes longer than a page; models of bars that have not changed are not trained again. */
const RUN_MS = 10 * WAIT_MS;

/** Asks for a retraining on the page and follows it until it has ended; gives its number. */
export async function jobsJourney(browser) {
  const { page, complaints, close } = await openPage(browser, { language: 'en' });
  await visit(page, '/jobs', '[data-job-schedule="retraining"]');
  await inspect(page, complaints, 'jobs before anything ran');
  const card = page.locator('[data-job-schedule="retraining"]');
  await card.locator('input[name="by"]').fill('e2e');
  await card.getByRole('button').click();
  check((await page.locator('[data-job-steps]').count()) === 0, 'jobs: a step without a reason was taken');
  await card.locator('input[name="reason"]').fill('a journey');
  await card.getByRole('button').click();
  await page.waitForSelector('main [data-job-run] dl', { timeout: WAIT_MS });
  const id = Number(await page.locator('main [data-job-run]').first().getAttribute('data-job-run'));
  await page.waitForSelector('.heading [data-job-state="done"]', { timeout: RUN_MS });
  await settled(page);
  const run = await api(`/api/v1/jobs/${id}`);
  check(run.state === 'done' && run.asked_by === 'e2e' && run.reason === 'a journey', `jobs: the run is ${JSON.stringify(run)}`);
  const stages = page.locator('[data-job-stages] tbody tr');
  check((await stages.count()) === run.stages.length, 'jobs: not every stage is shown');
  check((await page.locator('[data-job-stages] [data-job-state="done"]').count()) === run.stages.length, 'jobs: not every stage is done');
  check((await page.locator('[data-job-decisions] li').count()) === run.decisions.length, 'jobs: not every decision is shown');
  check((await page.locator('[data-job-lines] li').count()) === run.lines.length, 'jobs: not every line is shown');
  check((await page.locator('[data-job-steps]').count()) === 0, 'jobs: a run that is done can be cancelled');
  await inspect(page, complaints, 'the run of a job');
  await page.screenshot({ path: join(OUT, 'job-done.png'), fullPage: true });
  await visit(page, '/jobs', '[data-job-runs]');
  check((await page.locator(`[data-job-run="${id}"] [data-job-state="done"]`).count()) === 1, 'jobs: the run is not in the list');
  await inspect(page, complaints, 'jobs');
  await close();
  return id;
}
