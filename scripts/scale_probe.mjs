// What scale_probe.sh measures once the servers are started.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { KEY, BIST, PSQL_URL, REDIS_PORT } = process.env;
const ports = process.env.PORTS.split(' ');
const pids = process.env.PIDS.split(' ');
const headers = { authorization: `Bearer ${KEY}` };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

async function until(what, isSo) {
  for (let i = 0; i < 600; i += 1) {
    if (await isSo().catch(() => false)) return;
    await pause(100);
  }
  throw new Error(`${what} did not come about within a minute`);
}

const residentKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const ticks = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
};
const connections = () =>
  Number(execFileSync('psql', ['-Atq', PSQL_URL, '-c', "SELECT count(*) FROM pg_stat_activity WHERE datname = 'scale_probe' AND pid <> pg_backend_pid()"]));
const redis = (section, name) => {
  const told = execFileSync('redis-cli', ['-p', REDIS_PORT, 'info', section], { encoding: 'utf8' });
  return Number(new RegExp(`${name}:([\\d.]+)`).exec(told)[1]);
};
const redisCalls = () => redis('stats', 'total_commands_processed');
const redisSeconds = () => redis('cpu', 'used_cpu_sys') + redis('cpu', 'used_cpu_user');

const began = Date.now();
for (const port of ports) {
  await until(`server at ${port}`, async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok);
}
const startedS = (Date.now() - began) / 1000;

// Each is asked once for all symbols, so that it holds the market.
const first = [];
for (const port of ports) {
  const at = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/symbols?limit=1000`, { headers });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  first.push(performance.now() - at);
}
first.sort((a, b) => a - b);

// One who listens at each.
const heard = new Map();
await Promise.all(
  ports.map(async (port) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/live/events?topics=jobs`, { headers });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    (async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        text += value;
        const blocks = text.split('\n\n');
        text = blocks.pop();
        for (const block of blocks) {
          for (const [, run] of block.matchAll(/"topic":"jobs\/(\d+)"/g)) {
            heard.set(`${port}/${run}`, performance.now());
          }
        }
      }
    })();
  }),
);
await pause(3000);

const [callsBefore, ticksBefore] = [redisCalls(), pids.map(ticks)];
const restS = 20;
await pause(restS * 1000);
const processor = pids.map((pid, i) => (ticks(pid) - ticksBefore[i]) / restS);
const calls = (redisCalls() - callsBefore) / restS;

// A change that another process makes, and when each server has told of it.
const late = [];
for (let i = 0; i < 10; i += 1) {
  const asked = JSON.parse(execFileSync(BIST, ['jobs', 'ask', 'key-care', '--by', 'probe', '--reason', `probe ${i}`, '--json'], { encoding: 'utf8' }));
  const run = asked.id ?? asked.run?.id ?? asked.run;
  const at = performance.now();
  await until(`run ${run} at all servers`, async () => ports.every((port) => heard.has(`${port}/${run}`)));
  late.push(...ports.map((port) => Math.max(0, heard.get(`${port}/${run}`) - at)));
  execFileSync(BIST, ['jobs', 'cancel', String(run), '--by', 'probe', '--reason', 'done', '--json']);
}
late.sort((a, b) => a - b);

// One server as fast as it goes, with each request counted in Redis.
const symbols = await (await fetch(`http://127.0.0.1:${ports[0]}/api/v1/symbols?limit=1`, { headers })).json();
const url = `http://127.0.0.1:${ports[0]}/api/v1/bars?symbol=${symbols.items[0].symbol}&limit=1`;
const busyS = 10;
const [callsThen, secondsThen, ticksThen] = [redisCalls(), redisSeconds(), ticks(pids[0])];
const said = execFileSync('wrk', ['-t1', '-c32', `-d${busyS}s`, '-H', `authorization: Bearer ${KEY}`, url], { encoding: 'utf8' });
if (/Non-2xx|Socket errors/.test(said)) throw new Error(said);
const busy = {
  requests_per_s: Math.round(Number(/Requests\/sec:\s+([\d.]+)/.exec(said)[1])),
  redis_commands_per_s: Math.round((redisCalls() - callsThen) / busyS),
  redis_processor_share: Number(((redisSeconds() - secondsThen) / busyS).toFixed(2)),
  server_processor_share: (ticks(pids[0]) - ticksThen) / busyS / 100,
};

const memory = pids.map(residentKib).sort((a, b) => a - b);
const mib = (kib) => Math.round(kib / 1024);
console.log(
  JSON.stringify(
    {
      servers: ports.length,
      all_ready_s: startedS,
      first_answer_ms: { p50: Math.round(quantile(first, 0.5)), max: Math.round(first.at(-1)) },
      memory_mib: { each: mib(quantile(memory, 0.5)), all: mib(memory.reduce((a, b) => a + b)) },
      processor_at_rest_share: { each: quantile([...processor].sort((a, b) => a - b), 0.5) / 100, all: processor.reduce((a, b) => a + b) / 100 },
      postgres_connections: connections(),
      redis_commands_per_s: Math.round(calls),
      one_server_busy: busy,
      change_told_ms: { p50: Math.round(quantile(late, 0.5)), p99: Math.round(quantile(late, 0.99)), max: Math.round(late.at(-1)) },
    },
    null,
    2,
  ),
);
process.exit(0);
