// What deploy/haproxy and deploy/nginx do at the edge, seen from both sides: two servers behind them, who
// note what reaches them, and clients before them. usage: node edge_check.mjs PORT_TLS PORT_PLAIN PORT PORT
// with NODE_EXTRA_CA_CERTS naming the authority.
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';

const [secure, plain, ...behind] = process.argv.slice(2).map(Number);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
let failed = 0;
function holds(claim, isSo, seen) {
  console.log(`${isSo ? 'holds' : 'FAILS'}  ${claim}${isSo ? '' : `: ${JSON.stringify(seen)}`}`);
  if (!isSo) failed += 1;
}

// The servers behind: /gone ends the connection without an answer, and everything else tells what came.
const reached = [];
const servers = behind.map((port) => {
  const server = http.createServer((request, response) => {
    request.resume();
    if (request.url !== '/health/ready') reached.push({ port, method: request.method, url: request.url });
    if (request.url.startsWith('/gone')) return request.socket.destroy();
    response.setHeader('strict-transport-security', 'max-age=63072000; includeSubDomains');
    response.end(JSON.stringify(request.headers));
  });
  // Longer than those before it keep a connection.
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
  return server;
});
const timesReached = (url) => reached.filter((one) => one.url === url).length;

function ask(path, { method = 'GET', headers = {}, body, tls = true, port = tls ? secure : plain, agent = false } = {}) {
  return new Promise((done) => {
    const options = { host: 'localhost', port, path, method, headers, agent };
    const request = (tls ? https : http).request(options, (answer) => {
      let text = '';
      answer.on('data', (some) => (text += some));
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders, text }));
    });
    request.on('error', (error) => done({ status: 0, error: error.message }));
    request.end(body);
  });
}
const hsts = ({ raw = [] }) => raw.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'strict-transport-security').length;

for (let i = 0; i < 100 && (await ask('/')).status !== 200; i += 1) await pause(100);

const redirected = await ask('/a?b=c', { tls: false });
holds('who comes without TLS is sent to it', redirected.status === 301 && /^https:\/\/localhost(:\d+)?\/a\?b=c$/.test(redirected.headers.location), redirected);

const spoofed = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' };
const seen = JSON.parse((await ask('/who', { headers: spoofed })).text);
holds('the address is that of the client, whatever it claims', seen['x-forwarded-for'] === '127.0.0.1' && !JSON.stringify(seen['x-forwarded-for']).includes('203.'), seen);

const answered = await ask('/');
holds('HSTS is told once', hsts(answered) === 1, answered.raw);
const metrics = await ask('/metrics');
holds('/metrics is not to be had from outside', metrics.status === 404 && timesReached('/metrics') === 0, metrics);
holds('HSTS is told of what the edge answers itself', hsts(metrics) === 1, metrics.raw);

const large = await ask('/large', { method: 'POST', body: Buffer.alloc(200_000) });
holds('what is too large is refused at the edge', large.status === 413 && timesReached('/large') === 0, large.status);

const gone = await ask('/gone/get');
holds('what is idempotent is tried elsewhere', timesReached('/gone/get') >= 2, { times: timesReached('/gone/get'), status: gone.status });
const written = await ask('/gone/post', { method: 'POST', body: 'x' });
holds('a write that may have been done is not done again', written.status === 502 && timesReached('/gone/post') === 1, { times: timesReached('/gone/post'), status: written.status });

const session = http2.connect(`https://localhost:${secure}`);
const status = await new Promise((done) => {
  session.on('error', (error) => done(error.message));
  session.request({ ':path': '/two' }).on('response', (headers) => done(headers[':status'])).resume().end();
});
session.close();
holds('HTTP/2 is spoken', status === 200, status);

// A server that has removed a thing and is asked again says that it is not there.
for (const method of ['DELETE', 'PUT']) {
  const removed = await ask(`/gone/${method}`, { method });
  holds(`${method} that may have been done is not done again`, removed.status === 502 && timesReached(`/gone/${method}`) === 1, { times: timesReached(`/gone/${method}`), status: removed.status });
  await pause(6000);
}

// One server goes away while it is asked: others answer, and nobody hears of it.
servers[0].close();
servers[0].closeAllConnections();
const statuses = [];
for (let i = 0; i < 60; i += 1) {
  statuses.push((await ask(`/after/${i}`)).status);
  await pause(20);
}
holds('a server that is gone is missed by nobody', statuses.every((one) => one === 200), statuses);

// More than one address may ask, over few connections.
const agent = new https.Agent({ keepAlive: true, maxSockets: 20 });
const many = await Promise.all(Array.from({ length: 1000 }, async (_, i) => (await ask(`/many/${i}`, { agent })).status));
agent.destroy();
const refused = many.filter((one) => one !== 200);
holds('who asks too often is refused at the edge', refused.length > 0 && refused.length < 1000 && refused.every((one) => one === 429), [...new Set(many)]);
servers[1].close();
servers[1].closeAllConnections();
process.exit(failed ? 1 : 0);
