// Who listens and writes through a balancer while scripts/deploy_check.sh switches versions behind it.
//   node --experimental-websocket scripts/deploy_live.mjs SERVER BALANCER LISTENERS < INVITATION
// An account is entered at SERVER by the token of its invitation. Then so many WebSocket clients listen at
// BALANCER, come back whenever their connection ends, and go on at their position, while rules of alerts
// are made and removed, each of which is told. On SIGTERM the writing ends, all have heard the last event,
// and one JSON document tells what was found; the status is 1 when anything was lost, doubled or refused.
import { readFileSync } from 'node:fs';

const [server, balancer, listenersCount] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const TOPICS = ['alerts', 'jobs', 'quality'];
const RULES = '/api/v1/alerts/rules';
const RULES_MAX = 40;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const failures = [];
const fail = (what) => failures.push(`${new Date().toISOString()} ${what}`);
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

/** Asks through the balancer; anything but the expected answer is a failure. */
async function ask(method, path, expected, document) {
  const headers = { ...page, ...(document && { 'content-type': 'application/json' }) };
  try {
    const answer = await fetch(balancer + path, { method, headers, body: document && JSON.stringify(document) });
    const text = await answer.text();
    if (answer.status !== expected) fail(`${method} ${path} was answered ${answer.status}: ${text.slice(0, 200)}`);
    else if (method !== 'GET') writesCount += 1;
    return text && answer.status < 300 ? JSON.parse(text) : null;
  } catch (error) {
    fail(`${method} ${path} failed: ${error.cause?.message ?? error.message}`);
    return null;
  }
}

/** Makes rules and removes them again; each that was acknowledged is there once. */
async function write() {
  for (let round = 1; !isOver; round += 1) {
    const names = [];
    while (names.length < RULES_MAX && !isOver) {
      // Never met: no score is that low.
      const condition = { kind: 'data_quality', score_share: 0.0001 };
      const name = `rule-${round}-${names.length}`;
      await ask('POST', RULES, 201, { name, enabled: true, channels: ['web'], cool_down_minutes: 60, condition });
      names.push(name);
      await pause(30);
    }
    const items = (await ask('GET', RULES, 200))?.items ?? [];
    const there = items.map((item) => item.rule.name).sort();
    if (there.join() !== names.sort().join()) fail(`of ${names.length} rules that were made, ${there.length} are there`);
    for (const item of items) await ask('DELETE', `${RULES}/${item.id}`, 204);
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
  failures: failures.slice(0, 10),
};
console.log(JSON.stringify(found));
process.exit(lostCount > 0 || failures.length > 0 || all.size === 0 ? 1 : 0);
