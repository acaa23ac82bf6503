// The page of the signal record in the states that data of one evening cannot show: measured, and too
// early to say. The answers are made up; that the page says no more than they do is what is checked.
import { join } from 'node:path';
import { check, failure, inspect, LOOKS, openPage, OUT, settled, visit } from './browser.mjs';

const LEVEL = 0.95;
const SYMBOLS = ['AKBNK', 'ASELS', 'BIMAS', 'EREGL', 'GARAN', 'KCHOL', 'SISE', 'THYAO', 'TUPRS'];

const tally = (count, ofCount, half) => {
  const value = count / ofCount;
  return { count, of_count: ofCount, share: half === null ? null : { value, low: value - half, high: value + half, level: LEVEL } };
};

/** A summary of `scored` signals of which `hits` were right; a `half` of null is too early to say. */
function summary(scored, hits, half, days) {
  const part = (share) => Math.round(scored * share);
  const acted = (action, share, gain) => ({
    action,
    scored_count: part(share),
    hits: tally(part(share * 0.54), part(share * 0.98), half),
    tradable_count: action === 'hold' ? 0 : part(share) - 2,
    untradable_count: action === 'hold' ? 0 : 2,
    paid: tally(action === 'hold' ? 0 : part(share * 0.5), action === 'hold' ? 0 : part(share) - 2, null),
    gain_after_costs_share: half === null || action === 'hold' ? null : { value: gain, low: gain - 0.006, high: gain + 0.006, level: LEVEL },
    target_first: tally(action === 'hold' ? 0 : part(share * 0.4), action === 'hold' ? 0 : part(share), null),
    stop_first: tally(action === 'hold' ? 0 : part(share * 0.25), action === 'hold' ? 0 : part(share), null),
    both_in_one_bar_count: 1,
  });
  return {
    scored_count: scored,
    days_count: days,
    first_day: '2026-06-01',
    last_day: '2026-11-16',
    periods_count: Math.floor(days / 5),
    periods_count_min: 10,
    is_too_early: half === null,
    late_count: part(0.05),
    hits: tally(hits, part(0.98), half),
    rises: tally(part(0.52), part(0.98), half),
    mean_confidence: 0.541,
    held_50: tally(part(0.47), scored, half),
    held_80: tally(part(0.79), scored, half === null ? null : half / 2),
    actions: [acted('buy', 0.2, 0.008), acted('sell', 0.1, -0.003), acted('hold', 0.7, 0)],
  };
}

const KEYS = {
  month: ['2026-06', '2026-07', '2026-08', '2026-09', '2026-10', '2026-11'],
  symbol: SYMBOLS,
  version: ['ensemble-0123456789ab', 'ensemble-ba9876543210'],
  confidence: ['50-52.5', '52.5-55', '55-60', '60-70'],
  action: ['buy', 'hold', 'sell'],
};

function record(by, isEarly) {
  const half = isEarly ? null : 0.041;
  const [scored, days] = isEarly ? [63, 7] : [1044, 116];
  const whole = { horizon: '5', served_count: scored + 47, waiting_count: 45, never_known_count: 2, summary: summary(scored, Math.round(scored * 0.53), half, days) };
  const point = (index) => {
    const mean = 0.4 + 0.025 * index;
    const observed = mean + 0.03 * Math.sin(index * 1.7);
    return {
      low: mean - 0.012,
      high: mean + 0.012,
      count: Math.round(scored / 10),
      mean_forecast: mean,
      observed_share: observed,
      observed: half === null ? null : { value: observed, low: observed - 0.06, high: observed + 0.06, level: LEVEL },
    };
  };
  const group = (key, index) => ({ key, summary: summary(Math.round(scored / KEYS[by].length), Math.round((scored / KEYS[by].length) * (0.49 + 0.015 * (index % 6))), half === null ? null : 0.06 + 0.01 * (index % 3), days) });
  return {
    origin: 'market',
    in_time: false,
    ...whole,
    never_known: [{ reason: 'not_traded_at_the_end', count: 2 }],
    reliability: {
      rows_count: scored - 20,
      brier: 0.2471,
      base_rate_brier: 0.2495,
      coin_brier: 0.25,
      gain_over_coin: half === null ? null : { value: 0.0029, low: 0.0004, high: 0.0054, level: LEVEL },
      ece: 0.021,
      points: Array.from({ length: 10 }, (_, index) => point(index)),
    },
    by,
    groups: KEYS[by].map(group),
    horizons: ['1', '5', '20'].map((horizon) => ({ ...whole, horizon })),
  };
}

function served(index) {
  const action = ['buy', 'hold', 'sell'][index % 3];
  const acts = action !== 'hold';
  const hit = index % 7 === 3 ? null : index % 2 === 0;
  const one = { id: `ensemble-0123456789ab-${SYMBOLS[index % 9]}-2026-11-16`, issue: index === 4 ? 2 : 1, symbol: SYMBOLS[index % 9], action };
  const score = {
    ended_on: '2026-11-23',
    first_close: '100.00',
    last_close: '101.00',
    return_share: hit === null ? 0 : (hit ? 1 : -1) * 0.01 * (1 + (index % 4)),
    hit,
    held_80: index % 5 !== 0,
    made_in_time: index !== 2,
    entry: acts ? (index === 6 ? 'locked' : 'open') : null,
    gain_after_costs_share: acts && index !== 6 ? 0.008 - 0.004 * (index % 4) : null,
    first_touched: acts ? ['target', 'stop', 'both', 'neither'][index % 4] : null,
  };
  const state = index === 5 ? 'never_known' : 'scored';
  return {
    ...one,
    model_version: 'ensemble-0123456789ab',
    horizon: '5',
    made_at: '2026-11-16T16:00:00Z',
    as_of: '2026-11-16',
    probability_up: 0.46 + 0.01 * index,
    expected_return_share: 0.01,
    state,
    never_known_code: state === 'never_known' ? 'not_traded_at_the_end' : null,
    score: state === 'never_known' ? null : score,
  };
}

/** Both states as every page is looked at, and a list that goes on and may fail. */
export async function recordStates(browser) {
  for (const isEarly of [false, true]) {
    for (const look of LOOKS) {
      const { theme, language, width } = look;
      const { page, complaints, close } = await openPage(browser, look);
      await page.route('**/api/v1/signals/record**', (route) => {
        const by = new URL(route.request().url()).searchParams.get('by');
        return route.fulfill({ json: record(by, isEarly) });
      });
      await page.route('**/api/v1/signals/served**', (route) => {
        const cursor = new URL(route.request().url()).searchParams.get('cursor');
        const items = Array.from({ length: cursor === null ? 9 : 3 }, (_, index) => ({ ...served(index), id: `${cursor}-${index}` }));
        return route.fulfill({ json: { items, next: cursor === null ? 'before-12' : null } });
      });
      await visit(page, '/record', `main [data-record="${isEarly ? 'too_early' : 'measured'}"]`);
      const name = `record-${isEarly ? 'early' : 'measured'}-${theme}-${language}-${width}`;
      await inspect(page, complaints, name);
      await page.screenshot({ path: join(OUT, `${name}.png`), fullPage: true });
      if (isEarly) {
        const lead = await page.locator('main [data-record] .headline').innerText();
        check(!/[%]/.test(lead), `${name}: a share is said though it is too early: ${lead}`);
      } else if (theme === 'dark') {
        const more = page.locator('main .card-foot button');
        await more.click();
        await settled(page);
        check((await page.locator('main [data-served]').count()) === 12 && (await more.count()) === 0, `${name}: older signals do not follow`);
        await page.locator('main .card-head .segments button').nth(1).click();
        await page.waitForSelector('main [data-groups="symbol"]');
        await inspect(page, complaints, `${name} by symbol`);
      }
      await close();
    }
  }
  const { page, close } = await openPage(browser);
  await page.route('**/api/v1/signals/record**', (route) => route.fulfill(failure('e2e-77')));
  await visit(page, '/record', '[role="alert"]');
  check((await page.locator('[role="alert"]').first().innerText()).includes('e2e-77'), 'record: an error does not show its request id');
  await close();
}
