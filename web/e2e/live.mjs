// The live stream behind a proxy that passes less and less of it, and then all again: the page shows by
// what it goes on, and what happens meanwhile is displayed without a reload and without a gap.
import http from 'node:http';
import { connect } from 'node:net';
import { ask, BASE, check, openPage, visit, WAIT_MS } from './browser.mjs';

/** How long the page may take until it tries a better way again. */
const BACK_MS = 4 * WAIT_MS;

const upstream = new URL(BASE);

/** Passes everything on to the server, but for what is blocked. */
class Proxy {
  blocked = new Set();
  #streams = new Map();
  #server = http.createServer((request, answer) => this.#pass(request, answer));

  static async start() {
    const proxy = new Proxy();
    proxy.#server.on('upgrade', (request, socket, head) => proxy.#upgrade(request, socket, head));
    await new Promise((done) => proxy.#server.listen(0, '127.0.0.1', done));
    proxy.base = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  /** Blocks these ways from now on, also for who uses them, and passes all others. */
  block(...ways) {
    this.blocked = new Set(ways);
    for (const [stream, way] of this.#streams) if (this.blocked.has(way)) stream.destroy();
  }

  stop() {
    for (const stream of this.#streams.keys()) stream.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #keep(stream, way) {
    this.#streams.set(stream, way);
    stream.on('close', () => this.#streams.delete(stream));
    stream.on('error', () => stream.destroy());
  }

  #pass(request, answer) {
    const isEvents = request.url.startsWith('/api/v1/live/events');
    if (isEvents && this.blocked.has('events')) return void answer.socket.destroy();
    const { method, url: path, headers } = request;
    const passed = http.request({ host: upstream.hostname, port: upstream.port, method, path, headers }, (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    if (isEvents) this.#keep(answer.socket, 'events');
    request.pipe(passed);
  }

  #upgrade(request, socket, head) {
    if (this.blocked.has('socket')) return void socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    const passed = connect(Number(upstream.port), upstream.hostname);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    passed.write(`${lines.join('\r\n')}\r\n\r\n`);
    passed.write(head);
    passed.pipe(socket).pipe(passed);
    this.#keep(socket, 'socket');
    this.#keep(passed, 'socket');
    socket.on('close', () => passed.destroy());
    passed.on('close', () => socket.destroy());
  }
}

/** Has a run of a job change its state: asked for, cancelled, let begin again, cancelled. */
async function change(path, csrfToken, body) {
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken };
  const answer = await ask(path, { method: 'POST', headers, body: JSON.stringify({ by: 'e2e', reason: 'a proxy', ...body }) });
  check(answer.ok, `live: ${path} answered ${answer.status}`);
  return answer.json();
}

export async function liveJourney(browser) {
  const proxy = await Proxy.start();
  const { page, close } = await openPage(browser, { language: 'en' });
  const session = await (await ask('/api/v1/auth/session')).json();
  const shows = (look, time = WAIT_MS) => page.waitForSelector(`[data-live="${look}"]`, { timeout: time });
  // The session of the market decides whether the dot is green or at rest; both are a WebSocket.
  const showsSocket = (time) => page.waitForSelector('[data-live="full"], [data-live="rest"]', { timeout: time });
  const runs = [];
  /** A run is asked for, and displayed with all before it. */
  const happens = async (where) => {
    const run = await change('/api/v1/jobs', session.csrf_token, { job: 'key-care' });
    runs.push(run.id);
    for (const id of runs) {
      const found = await page.waitForSelector(`[data-job-run="${id}"]`, { timeout: WAIT_MS }).catch(() => null);
      check(found !== null, `live: run ${id} is not displayed ${where}`);
    }
    // The next one may only be asked for when this one has ended.
    await page.waitForSelector(`[data-job-run="${run.id}"] [data-job-state="done"]`, { timeout: WAIT_MS });
  };
  try {
    proxy.block('socket');
    await visit(page, '/jobs', '[data-job-schedule="key-care"]', proxy.base);
    await page.evaluate(() => (window.isSameDocument = true));
    await shows('half');
    await happens('by events');
    proxy.block('socket', 'events');
    await shows('poll', BACK_MS);
    await happens('by polling');
    proxy.block();
    await showsSocket(BACK_MS);
    await happens('by WebSocket');
    const newest = (await (await ask('/api/v1/jobs?limit=50')).json()).items.map((run) => String(run.id));
    const shown = await page.locator('[data-job-runs] [data-job-run]').evaluateAll((rows) => rows.map((row) => row.dataset.jobRun));
    check(JSON.stringify(shown) === JSON.stringify(newest), `live: displayed are ${shown}, and there are ${newest}`);
    check(await page.evaluate(() => window.isSameDocument === true), 'live: the page was loaded anew');
  } finally {
    await close();
    proxy.stop();
  }
}
