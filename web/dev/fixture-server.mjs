// Answers the shapes of the API with invented numbers, for working on the screens without a server.
// Never part of the product: nothing in dist/ comes from here.
//
//   node dev/fixture-server.mjs [--port 8080] [--scenario skill|no-skill|empty|failing] [--dist dist]
//
// With --dist it also serves the built app under the product's content security policy.
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const PORT = Number(option('port', '8080'));
const SCENARIO = option('scenario', 'skill');
const DIST = option('dist', null);

const CSP =
  "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** A small seeded generator (mulberry32), so that every run shows the same pictures. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const DAY_MS = 86_400_000;
const iso = (ms) => new Date(ms).toISOString().slice(0, 10);
const isWeekend = (ms) => [0, 6].includes(new Date(ms).getUTCDay());
const TODAY = Date.parse(`${iso(Date.now())}T00:00:00Z`);

function sessionsBefore(day, count) {
  const days = [];
  for (let at = day; days.length < count; at -= DAY_MS) if (!isWeekend(at)) days.unshift(iso(at));
  return days;
}
function sessionsAfter(day, count) {
  const days = [];
  for (let at = Date.parse(`${day}T00:00:00Z`) + DAY_MS; days.length < count; at += DAY_MS) if (!isWeekend(at)) days.push(iso(at));
  return days;
}

const SECTORS = ['Banka', 'Enerji', 'Sanayi', 'Perakende', 'Ulaştırma', 'Teknoloji'];
const NAMES = ['Kurgu Bankası', 'Hayali Enerji', 'Düş Çelik Sanayi', 'Masal Mağazacılık', 'Öykü Havayolları', 'Işık Bilişim Çözümleri ve Ticaret'];
const ACTIONS = ['buy', 'hold', 'sell', 'hold'];
const BARS_COUNT = 1500;
const HORIZON = 5;
const MODEL = 'gbdt-20261120-3f9c2a';

const symbols = Array.from({ length: 24 }, (_, i) => {
  const random = generator(1000 + i);
  const origin = i % 4 === 3 ? 'market' : 'sample';
  const symbol = (origin === 'sample' ? 'SKRG' : 'KRG') + String(i + 1);
  const daysLate = i === 5 ? 12 : i === 6 ? 1 : 0;
  const days = sessionsBefore(TODAY - DAY_MS, BARS_COUNT + daysLate).slice(0, BARS_COUNT);
  let close = 8 + 400 * random() ** 2;
  const bars = days.map((day, at) => {
    const open = close * (1 + 0.006 * (random() - 0.5));
    close = Math.max(1, open * (1 + 0.036 * (random() + random() + random() - 1.495)));
    const high = Math.max(open, close) * (1 + 0.012 * random());
    const low = Math.min(open, close) * (1 - 0.012 * random());
    const adjusted = i % 3 === 0 && at < BARS_COUNT - 300 ? close * 0.93 : close;
    return {
      day,
      open: open.toFixed(2),
      high: high.toFixed(2),
      low: low.toFixed(2),
      close: close.toFixed(2),
      adjusted_close: Number(adjusted.toFixed(4)),
      volume: at % 97 === 5 ? 0 : Math.round(1e6 * (0.3 + random() * 3)),
    };
  });
  const action = SCENARIO === 'no-skill' ? 'hold' : ACTIONS[i % ACTIONS.length];
  return { i, symbol, origin, days, bars, action, daysLate, random };
});

const last = (entry) => entry.bars.at(-1);
function reasonOf(entry, expected) {
  const costs = { expected_return_share: expected, cost_share: 0.0042 };
  if (SCENARIO === 'no-skill') {
    return { code: 'no_skill_shown', rank_ic: { value: 0.006, low: -0.014, high: 0.026, level: 0.95 }, unmet: ['rank_ic_above_zero', 'error_below_zero_forecast'] };
  }
  if (entry.action === 'buy') return { code: 'expected_gain_above_costs', ...costs };
  if (entry.action === 'sell') return { code: 'expected_loss_above_costs', ...costs };
  return entry.i % 8 === 1 ? { code: 'within_costs', ...costs } : { code: 'no_skill_for_symbol', rank_ic: { value: 0.02, low: -0.03, high: 0.07, level: 0.9 } };
}
function expectedOf(entry) {
  return { buy: 0.0213, sell: -0.0187, hold: 0.0011 }[entry.action];
}
function forecastOf(entry) {
  const close = Number(last(entry).close);
  const days = sessionsAfter(last(entry).day, HORIZON);
  const expected = expectedOf(entry);
  return {
    symbol: entry.symbol,
    origin: entry.origin,
    model_version: MODEL,
    made_at: new Date(TODAY - DAY_MS / 4).toISOString(),
    as_of: last(entry).day,
    last_close: last(entry).close,
    horizon_sessions: HORIZON,
    expected_return_share: expected,
    steps: days.map((day, k) => {
      const centre = close * (1 + (expected * (k + 1)) / HORIZON);
      const width = close * 0.022 * Math.sqrt(k + 1);
      const band = (coverage, z) => ({ coverage, low: (centre - z * width).toFixed(2), high: (centre + z * width).toFixed(2) });
      return { session: k + 1, day: entry.i === 7 ? null : day, median: centre.toFixed(2), bands: [band(0.5, 0.67), band(0.8, 1.28)] };
    }),
  };
}
function signalOf(entry) {
  const close = Number(last(entry).close);
  const expected = expectedOf(entry);
  const reason = reasonOf(entry, expected);
  const items = [
    ['return_5', -0.031, 0.0061],
    ['volume_zscore_20', 1.82, 0.0043],
    ['rank_volatility_20', 0.81, -0.0032],
    ['rsi_14', 38.4, 0.0021],
    ['market_return_20', 0.044, -0.0014],
  ].map(([feature, value, contribution_share]) => ({ feature, value, contribution_share }));
  const base_share = 0.0009;
  const total_share = Math.log1p(expected);
  const other_share = total_share - base_share - items.reduce((sum, item) => sum + item.contribution_share, 0);
  const held = entry.action === 'hold';
  const up = entry.action === 'buy' ? 1 : -1;
  return {
    id: `${MODEL}-${entry.symbol}`,
    symbol: entry.symbol,
    origin: entry.origin,
    model_version: MODEL,
    snapshot_hash: 'a3f1c0de'.repeat(8),
    made_at: new Date(TODAY - DAY_MS / 4).toISOString(),
    as_of: last(entry).day,
    action: entry.action,
    reason,
    reason_text: `Invented reason ${reason.code}.`,
    horizon_sessions: HORIZON,
    next_session: sessionsAfter(last(entry).day, 1)[0],
    valid_until: sessionsAfter(last(entry).day, HORIZON).at(-1),
    last_close: last(entry).close,
    expected_return_share: expected,
    cost_share: 0.0042,
    expected_return_after_costs_share: expected - Math.sign(expected) * 0.0042,
    probability_up: { buy: 0.63, sell: 0.38, hold: 0.51 }[entry.action],
    interval_50: { low: expected - 0.033, high: expected + 0.033 },
    interval_80: { low: expected - 0.063, high: expected + 0.063 },
    target: held ? null : (close * (1 + expected)).toFixed(2),
    stop: held ? null : (close * (1 - up * 0.028)).toFixed(2),
    risk_reward: held ? null : 0.74,
    contributions: { base_share, items, other_share, total_share },
  };
}
function findingsOf(entry) {
  const poor = entry.i === 4;
  return [
    { code: 'row_refused', severity: 'error', count: poor ? 88 : 1 },
    { code: 'move_beyond_limit', severity: 'error', count: poor ? 14 : entry.i % 3 },
    { code: 'missing_session', severity: 'error', count: entry.i % 5 },
    { code: 'zero_volume', severity: 'warning', count: 16 },
    { code: 'flat_bar', severity: 'info', count: 3 },
  ].filter((finding) => finding.count > 0);
}
function qualityOf(entry) {
  const findings = findingsOf(entry);
  const refused = findings.filter((f) => f.severity === 'error' && f.code !== 'missing_session').reduce((sum, f) => sum + f.count, 0);
  const received = BARS_COUNT + refused;
  return {
    symbol: entry.symbol,
    origin: entry.origin,
    interval: '1d',
    received_count: received,
    accepted_count: BARS_COUNT,
    quarantined_count: refused,
    unverifiable_count: 0,
    missing_sessions_count: entry.i % 5,
    score_share: BARS_COUNT / received,
    first_day: entry.days[0],
    last_day: last(entry).day,
    findings,
  };
}
function summaryOf(entry) {
  const [before, newest] = entry.bars.slice(-2);
  const signal = signalOf(entry);
  return {
    symbol: entry.symbol,
    name: entry.i % 7 === 6 ? null : NAMES[entry.i % NAMES.length],
    sector: SECTORS[entry.i % SECTORS.length],
    origin: entry.origin,
    source: entry.origin === 'sample' ? 'sample' : 'csv',
    fetched_at: new Date(TODAY - DAY_MS / 3).toISOString(),
    first_day: entry.days[0],
    last_day: newest.day,
    as_of: newest.day,
    bars_count: BARS_COUNT,
    last_close: newest.close,
    previous_close: before.close,
    change_share: Number(newest.close) / Number(before.close) - 1,
    quality_share: qualityOf(entry).score_share,
    stale_sessions: entry.i === 7 ? null : entry.daysLate,
    signal: { action: signal.action, reason_code: signal.reason.code, as_of: signal.as_of },
  };
}

const estimate = (value, half, level = 0.95) => ({ value, low: value - half, high: value + half, level });
const shown = SCENARIO !== 'no-skill';
const rmse = shown
  ? { model: 0.05021, ridge: 0.05084, seasonal_naive: 0.07181, training_mean: 0.05098, zero: 0.05103 }
  : { model: 0.05128, ridge: 0.05119, seasonal_naive: 0.07181, training_mean: 0.05098, zero: 0.05103 };
const score = (other) => 1 - rmse.model ** 2 / other ** 2;
const rankIc = shown ? estimate(0.041, 0.019) : estimate(0.006, 0.02);
const hitRate = shown ? estimate(0.531, 0.014) : estimate(0.502, 0.015);
const foldDays = sessionsBefore(TODAY - 10 * DAY_MS, 760);
const folds = Array.from({ length: 6 }, (_, k) => ({
  train_from: symbols[0].days[0],
  train_to: sessionsBefore(Date.parse(foldDays[k * 126]) - 120 * DAY_MS, 1)[0],
  validation_from: sessionsBefore(Date.parse(foldDays[k * 126]) - 110 * DAY_MS, 1)[0],
  validation_to: sessionsBefore(Date.parse(foldDays[k * 126]) - 14 * DAY_MS, 1)[0],
  test_from: foldDays[k * 126],
  test_to: foldDays[k * 126 + 125],
  train_rows_count: 14_000 + 3_000 * k,
  validation_rows_count: 2_600,
  test_rows_count: 3_024,
  trees_count: 90 + 11 * k,
  rank_ic: (shown ? 0.04 : 0.004) + 0.02 * Math.sin(2 * k),
  hit_share: 0.51,
  rmse,
}));
const positive = folds.filter((fold) => fold.rank_ic > 0).length / folds.length;
const condition = (code, measured, bound) => ({ condition: code, relative_to_day: false, met: measured > bound, measured, bound, text: `${code}: ${measured}` });
const evaluation = {
  kind: 'gbdt',
  horizon_sessions: HORIZON,
  from: foldDays[0],
  to: foldDays[755],
  days_count: 756,
  rows_count: 18_144,
  symbols_count: symbols.length,
  protocol: { scheme: 'expanding_walk_forward', purge_sessions: 5, embargo_sessions: 5, configurations_tried_count: 1, seed: 7, costs: { slippage_share: 0.0005 } },
  skill: {
    shown,
    reasons: [
      condition('rank_ic_above_zero', rankIc.low, 0),
      condition('positive_in_most_folds', positive, 2 / 3),
      condition('error_below_zero_forecast', score(rmse.zero), 0),
      condition('error_below_training_mean', score(rmse.training_mean), 0),
      condition('error_below_seasonal_naive', score(rmse.seasonal_naive), 0),
    ],
  },
  rank_ic: { estimate: rankIc, method: 'cross_sectional', interval_method: 'newey_west_student_t', lag_days: 10, days_count: 756, effective_days_count: 301.4 },
  hit_rate: { estimate: hitRate, interval_method: 'newey_west_student_t', rows_count: 18_001, up_share: 0.509 },
  rmse,
  skill_scores: {
    against_ridge_share: score(rmse.ridge),
    against_seasonal_naive_share: score(rmse.seasonal_naive),
    against_training_mean_share: score(rmse.training_mean),
    against_zero_share: score(rmse.zero),
  },
  after_costs: {
    periods_count: 151,
    days_per_period: 5,
    invested_periods_count: shown ? 143 : 38,
    trades_count: shown ? 611 : 57,
    untradable_count: 2,
    round_trip_share: 0.0042,
    turnover_share: 0.94,
    gross_return_share: 0.0091,
    net_return_share: shown ? estimate(0.0049, 0.0061) : estimate(-0.0007, 0.0048),
    hold_return_share: 0.0037,
    excess_return_share: shown ? estimate(0.0012, 0.0043) : estimate(-0.0044, 0.0057),
  },
  coverage: [1, 2, 3, 4, 5].flatMap((step) => [
    { step, level: 0.5, covered: estimate(0.492 + 0.004 * step, 0.02), rows_count: 15_000, mean_width_share: 0.03 },
    { step, level: 0.8, covered: estimate(0.781 + 0.003 * step, 0.02), rows_count: 15_000, mean_width_share: 0.06 },
  ]),
  folds,
  by_symbol: symbols
    .filter((entry) => entry.i !== 8)
    .map((entry) => ({
      symbol: entry.symbol,
      from: foldDays[0],
      to: foldDays[755],
      rows_count: 756,
      rank_ic: estimate(0.03 * Math.sin(entry.i), 0.05, 0.9),
      hit_rate: estimate(0.51, 0.07),
      up_share: 0.51,
      skill_shown: false,
    })),
  caveats: [
    'survivorship_unknown',
    'vendor_adjusted_prices',
    'fills_assumed',
    'costs_assumed',
    'configurations_tried',
    'many_symbols_judged',
    'bands_suppose_stability',
    'order_not_direction',
  ].map((code) => ({ code, text: `Invented caveat ${code}.` })),
};
const modelSummary = {
  version: MODEL,
  kind: 'gbdt',
  state: 'champion',
  origin: 'sample',
  trained_at: new Date(TODAY - DAY_MS / 4).toISOString(),
  first_day: symbols[0].days[0],
  last_day: symbols[0].days.at(-1),
  rows_count: 34_127,
  symbols_count: symbols.length,
  snapshot_hash: 'a3f1c0de'.repeat(8),
  seed: 7,
  skill_shown: shown,
  rank_ic: rankIc,
  hit_rate: hitRate,
  rmse,
};

function problem(response, status, code, title, detail) {
  response.writeHead(status, { 'content-type': 'application/problem+json', 'x-request-id': 'fixture-0001' });
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail, code, request_id: 'fixture-0001' }));
}
function pageOf(items, query, fallback, newestFirst = false) {
  const limit = Number(query.get('limit') ?? fallback);
  const offset = Number(query.get('cursor') ?? 0);
  const end = items.length - offset;
  const slice = newestFirst ? items.slice(Math.max(0, end - limit), end) : items.slice(offset, offset + limit);
  return { items: slice, next: offset + limit < items.length ? String(offset + limit) : null };
}
function calendarOf(query) {
  const from = Date.parse(`${query.get('from')}T00:00:00Z`);
  const to = Date.parse(`${query.get('to')}T00:00:00Z`);
  const items = [];
  for (let at = from; at <= to; at += DAY_MS) {
    const day = iso(at);
    const closed = isWeekend(at) || day.endsWith('-10-29');
    items.push({
      day,
      kind: closed ? 'closed' : 'full',
      name: isWeekend(at) ? 'weekend' : closed ? 'Republic Day' : null,
      opens_at: closed ? null : `${day}T06:40:00Z`,
      closes_at: closed ? null : `${day}T15:10:00Z`,
      settles_on: null,
    });
  }
  return items;
}

function api(url, response) {
  const query = url.searchParams;
  const known = SCENARIO === 'empty' ? [] : symbols;
  const wanted = (name) => known.find((entry) => entry.symbol === name);
  const send = (body) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'fixture-0001' });
    response.end(JSON.stringify(body));
  };
  const [resource, ...rest] = url.pathname.replace('/api/v1/', '').split('/').map(decodeURIComponent);
  const argument = rest.join('/');
  if (SCENARIO === 'failing' && resource !== 'symbols' && resource !== 'market') {
    return problem(response, 500, 'internal', 'internal error', 'invented failure');
  }
  switch (resource) {
    case 'symbols': {
      if (argument === '') return send(pageOf(known.map(summaryOf), query, 100));
      const entry = wanted(argument);
      return entry ? send(summaryOf(entry)) : problem(response, 404, 'symbol_not_found', 'symbol not found', argument);
    }
    case 'bars': {
      const entry = wanted(query.get('symbol'));
      if (!entry) return problem(response, 404, 'symbol_not_found', 'symbol not found', query.get('symbol'));
      const { symbol, origin } = entry;
      return send({ symbol, interval: '1d', origin, source: 'sample', as_of: last(entry).day, ...pageOf(entry.bars, query, 1000, true) });
    }
    case 'forecasts':
    case 'signals': {
      const make = resource === 'signals' ? signalOf : forecastOf;
      const entries = query.has('symbol') ? [wanted(query.get('symbol'))].filter(Boolean) : known;
      return send({ items: entries.filter((entry) => entry.i !== 9).map(make), next: null });
    }
    case 'models':
      if (argument === '') return send({ items: known.length > 0 ? [modelSummary] : [], next: null });
      if (argument !== MODEL) return problem(response, 404, 'model_version_not_found', 'model version not found', argument);
      return send({ ...modelSummary, artifact_sha256: '0'.repeat(64), evaluation });
    case 'data-quality': {
      if (argument === '') {
        const rows = known.map(qualityOf);
        const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
        const score_share = rows.length === 0 ? null : sum('accepted_count') / sum('received_count');
        return send({ as_of: new Date(TODAY).toISOString(), threshold_share: 0.95, score_share, ...pageOf(rows, query, 100) });
      }
      const entry = wanted(argument);
      if (!entry) return problem(response, 404, 'symbol_not_found', 'symbol not found', argument);
      const { findings, ...summary } = qualityOf(entry);
      const items = findings.flatMap(({ code, severity, count }) =>
        Array.from({ length: count }, (_, k) => ({
          day: code === 'row_refused' ? null : entry.days[(k * 37 + 11) % entry.days.length],
          code,
          severity,
          quarantined: severity === 'error' && code !== 'missing_session',
          text: `invented sentence ${k + 1} about ${code}`,
        })),
      );
      return send({ ...summary, findings: pageOf(items, query, 100) });
    }
    case 'market':
      if (argument === 'calendar') return send({ items: calendarOf(query), next: null });
  }
  return problem(response, 404, 'not_found', 'not found', url.pathname);
}

const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Invented', version: '0' },
  paths: { '/api/v1/symbols': { get: { summary: 'Invented', responses: { 200: { description: 'ok' } } } } },
};

function file(path, response) {
  const headers = { 'content-security-policy': CSP, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
  if (DIST === null) return problem(response, 404, 'not_found', 'not found', path);
  let name = path === '/api/docs' ? '/api-docs/index.html' : normalize(path);
  let full = join(DIST, name);
  let found = false;
  try {
    found = statSync(full).isFile();
  } catch {
    found = false;
  }
  if (!found) {
    if (extname(name) !== '') {
      response.writeHead(404, headers);
      return response.end();
    }
    full = join(DIST, 'index.html');
  }
  response.writeHead(200, { ...headers, 'content-type': TYPES[extname(full)] ?? 'application/octet-stream' });
  return response.end(readFileSync(full));
}

createServer((request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${PORT}`);
  if (url.pathname === '/api/openapi.json') {
    response.writeHead(200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(OPENAPI));
  }
  if (url.pathname.startsWith('/api/v1/')) return api(url, response);
  return file(url.pathname, response);
}).listen(PORT, '127.0.0.1', () => console.log(`invented data at http://127.0.0.1:${PORT} (${SCENARIO})`));
