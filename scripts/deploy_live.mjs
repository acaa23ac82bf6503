// Who listens and writes through a balancer while scripts/deploy_check.sh switches versions behind it.
//   node --experimental-websocket scripts/deploy_live.mjs SERVER BALANCER LISTENERS < INVITATION
// An account is entered at SERVER by the token of its invitation. Then so many WebSocket clients listen at
// BALANCER, come back whenever their connection ends, and go on at their position, while rules of alerts
// are made and removed, each of which is told. On SIGTERM the writing ends, all have heard the last event,
// and one JSON document tells what was found, with failures counted by method, route and status; the status
// is 1 when anything was lost, doubled or refused.
import { readFileSync } from 'node:fs';

const [server, balancer, listenersCount] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const TOPICS = ['alerts', 'jobs', 'quality'];
const RULES = '/api/v1/alerts/rules';
const RULES_MAX = 40;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const failures = [];
const failedBy = {};
/** Notes a failure, which is counted as one of its kind. */
function fail(what, kind = 'listener') {
  failures.push(`${new Date().toISOString()} ${what}`);
  failedBy[kind] = (failedBy[kind] ?? 0) + 1;
}
let isOver = false;
process.on('SIGTERM', () => (isOver = true));

async function enter() {
  const body = JSON.stringify({ token: readFileSync(0, 'utf8').trim(), password: 'kirmizi balon dokuz kedi' });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server}/api/v1/auth/invitation`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`the invitation was answered ${answer.status}: ${await answer.text()}`);
  const cookie = answer.headers.getSetCookie()[0].split(';')[0];
  const session = await fetch(`${server}/api/v1/auth/session`, { headers: { cookie } });
  return { cookie, 'x-csrf-token': (await session.json()).csrf_token };
}

const page = await enter();

/** Listens, from one connection to the next. */
class Listener {
  seqs = [];
  epoch = '';
  seq = 0;
  connectionsCount = 0;
  resumedCount = 0;

  async listen() {
    while (!this.isDone) {
      await this.connection();
      await pause(20);
    }
  }

  connection() {
    return new Promise((ended) => {
      const address = `${balancer.replace('http', 'ws')}/api/v1/live`;
      this.socket = new WebSocket(address, { headers: { cookie: page.cookie } });
      this.connectionsCount += 1;
      this.socket.addEventListener('message', ({ data }) => this.hear(JSON.parse(data)));
      this.socket.addEventListener('close', ended);
      this.socket.addEventListener('error', ended);
    });
  }

  hear({ type, seq, data }) {
    const epochOf = () => data.position.slice(0, data.position.lastIndexOf('-'));
    if (type === 'hello') {
      const position = `${this.epoch}-${this.seq}`;
      const request = this.epoch ? { op: 'resume', position, topics: TOPICS } : { op: 'subscribe', topics: TOPICS };
      this.socket.send(JSON.stringify(request));
    } else if (type === 'snapshot') {
      if (data.reason !== 'subscribed') fail(`a listener could not go on at ${this.epoch}-${this.seq}: ${data.reason}`);
      [this.epoch, this.seq, this.from] = [epochOf(), seq, this.from ?? seq];
    } else if (type === 'resumed') {
      if (epochOf() !== this.epoch || seq !== this.seq) fail(`resumed at ${data.position} rather than ${this.epoch}-${this.seq}`);
      this.resumedCount += 1;
    } else if (type === 'update' || type === 'gone') {
      if (seq <= this.seq) fail(`event ${seq} came after ${this.seq}`);
      this.seq = seq;
      this.seqs.push(seq);
    } else if (type === 'heartbeat') {
      if (epochOf() !== this.epoch) fail(`another life of the stream, ${data.position}, and no snapshot`);
      this.seq = Math.max(this.seq, seq);
    } else {
      fail(`nobody reckons with ${type}`);
    }
  }

  end() {
    this.isDone = true;
    this.socket.close();
  }
}

let writesCount = 0;

/** Asks through the balancer; a status that is not expected is a failure, and 0 stands for no answer. */
async function ask(method, path, expected, document) {
  const route = path.startsWith(`${RULES}/`) ? `${RULES}/{id}` : path;
  const headers = { ...page, ...(document && { 'content-type': 'application/json' }) };
  try {
    const answer = await fetch(balancer + path, { method, headers, body: document && JSON.stringify(document) });
    const text = await answer.text();
    const { status } = answer;
    if (!expected.includes(status)) {
      fail(`${method} ${path} was answered ${status}: ${text.slice(0, 200)}`, `${method} ${route} ${status}`);
    } else if (method !== 'GET') {
      writesCount += 1;
    }
    return { status, document: text && status < 300 ? JSON.parse(text) : null };
  } catch (error) {
    const why = error.cause?.code ?? error.cause?.message ?? error.message;
    fail(`${method} ${path} failed: ${why}`, `${method} ${route} ${why}`);
    return { status: 0, document: null };
  }
}

/** The rules that are there, asked until they are told; each answer that does not tell them is a failure. */
async function rules() {
  for (let i = 0; i < 120; i += 1) {
    const { status, document } = await ask('GET', RULES, [200]);
    if (status === 200) return document.items;
    await pause(500);
  }
  throw new Error('nobody tells which rules there are');
}

/** Removes rules. That one is not there any more, as 404 says too, is believed when the list lacks it. */
async function remove(items) {
  const told = new Map();
  for (const { id } of items) told.set(id, (await ask('DELETE', `${RULES}/${id}`, [204, 404])).status);
  const left = await rules();
  for (const { id } of left) {
    const status = told.get(id);
    if (status === 204 || status === 404) fail(`rule ${id} is there after ${status}`, `DELETE ${RULES}/{id} ${status}, and it is there`);
  }
  return left;
}

/** Makes rules and removes them again; each that was acknowledged is there once. */
async function write() {
  for (let round = 1; !isOver; round += 1) {
    const made = [];
    const tried = new Set();
    while (tried.size < RULES_MAX && !isOver) {
      // Never met: no score is that low.
      const condition = { kind: 'data_quality', score_share: 0.0001 };
      const name = `rule-${round}-${tried.size}`;
      const rule = { name, enabled: true, channels: ['web'], cool_down_minutes: 60, condition };
      tried.add(name);
      if ((await ask('POST', RULES, [201], rule)).status === 201) made.push(name);
      await pause(30);
    }
    let items = await rules();
    const there = items.map((item) => item.rule.name);
    const isThere = new Set(there);
    const missing = made.filter((name) => !isThere.has(name));
    if (missing.length > 0) fail(`of ${made.length} rules that were made, these are not there: ${missing}`, 'rules missing');
    if (isThere.size < there.length || there.some((name) => !tried.has(name))) fail(`nobody made these, or not twice: ${there}`, 'rules too many');
    // What was not removed for want of an answer is tried again, so that the next round begins with none.
    for (let i = 0; i < 5 && items.length > 0; i += 1) items = await remove(items);
  }
}

const listeners = Array.from({ length: listenersCount }, () => new Listener());
const listening = listeners.map((listener) => listener.listen());
for (let i = 0; i < 600 && listeners.some((listener) => !listener.epoch); i += 1) await pause(100);
console.error('listening');
await write();

// Until all have heard as far as the one that has heard the most.
const heardMax = () => Math.max(...listeners.map((listener) => listener.seqs.at(-1) ?? 0));
await pause(3000);
for (let i = 0; i < 300 && listeners.some((listener) => (listener.seqs.at(-1) ?? 0) < heardMax()); i += 1) await pause(100);
for (const listener of listeners) listener.end();
await Promise.all(listening);

const all = new Set(listeners.flatMap((listener) => listener.seqs));
let lostCount = 0;
for (const listener of listeners) {
  const heard = new Set(listener.seqs);
  for (const seq of all) if (seq > listener.from && !heard.has(seq)) lostCount += 1;
}
const sum = (of) => listeners.reduce((total, listener) => total + of(listener), 0);
const found = {
  listeners: listenersCount,
  events: all.size,
  delivered: sum((listener) => listener.seqs.length),
  lost: lostCount,
  reconnected: sum((listener) => listener.connectionsCount - 1),
  resumed: sum((listener) => listener.resumedCount),
  writes: writesCount,
  failures_count: failures.length,
  failed_by: failedBy,
  failures: failures.slice(0, 10),
};
console.log(JSON.stringify(found));
process.exit(lostCount > 0 || failures.length > 0 || all.size === 0 ? 1 : 0);
