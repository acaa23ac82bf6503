// Bytes that no browser sends: heads that two programs could read differently, names of other hosts,
// paths that leave the folder, and bodies without end. Each is refused, or means what it says. They go to a
// server itself: a proxy before it has its own ways to refuse them.
import { connect } from 'node:net';
import { check, DIRECT, WAIT_MS } from './browser.mjs';

const { hostname, port, host } = new URL(DIRECT);
const HOST = `Host: ${host}\r\n`;

const get = (path, headers = HOST, method = 'GET') => `${method} ${path} HTTP/1.1\r\n${headers}\r\n`;
const NEXT = get('/health/live');
/** A sign-in with `headers` for its framing, and whatever follows them. */
const post = (headers, rest, version = '1.1') => `POST /api/v1/auth/login HTTP/${version}\r\n${HOST}Content-Type: application/json\r\n${headers}\r\n${rest}`;
const json = (body) => post(`Content-Length: ${body.length}\r\n`, body);
const chunked = (header, version) => post(`${header}\r\n`, `0\r\n\r\n${NEXT}`, version);
const ofLengths = (...lengths) => post(lengths.map((length) => `Content-Length: ${length}\r\n`).join(''), `{}${NEXT}`);
/** More than a body may have, and less than what stands in the buffers of both ends. */
const MUCH = 'a'.repeat(100_000);

/** What is sent, the status of its only answer, and whether the connection must end with it. */
const PROBES = [
  ['a path that leaves the folder', get('/assets/../../Cargo.toml'), 404],
  ['the same encoded', get('/assets/%2e%2e/%2e%2e/Cargo.toml'), 404],
  ['the same encoded twice', get('/assets/%252e%252e/%252e%252e/Cargo.toml'), 404],
  ['the same with encoded slashes', get('/..%2f..%2f..%2fetc%2fpasswd'), 404],
  ['the same with backslashes', get('/assets/..\\..\\Cargo.toml'), 404],
  ['the same with encoded backslashes', get('/assets/..%5c..%5cCargo.toml'), 404],
  ['the same with overlong UTF-8', get('/assets/..%c0%af..%c0%afetc/passwd'), 404],
  ['a path with an encoded NUL', get('/assets/index.html%00.js'), 404],
  ['a path with two slashes', get('//etc/passwd'), 404],
  ['a path with a NUL', get('/assets/\0'), 400, true],
  ['a path that is no UTF-8', get('/s/%ff%fe'), 404],

  ['two hosts, the second another', get('/health/live', `${HOST}Host: evil.example\r\n`), 400],
  ['two hosts, the first another', get('/health/live', `Host: evil.example\r\n${HOST}`), 400],
  ['no host', get('/health/live', ''), 421],
  ['an empty host', get('/health/live', 'Host:\r\n'), 421],
  ['another host', get('/health/live', 'Host: evil.example\r\n'), 421],
  ['another host that begins with ours', get('/health/live', `Host: ${hostname}.evil.example\r\n`), 421],
  ['another host behind a port and an @', get('/health/live', `Host: ${hostname}:80@evil.example\r\n`), 421],
  ['a user before the host', get('/health/live', `Host: evil@${host}\r\n`), 421],
  ['a list of hosts', get('/health/live', `Host: ${hostname}, evil.example\r\n`), 421],
  ['a port that there is not', get('/health/live', `Host: ${hostname}:99999\r\n`), 421],
  ['a whole address of another host', get('http://evil.example/health/live'), 421],
  ['a tunnel', get('evil.example:443', HOST, 'CONNECT'), 421],
  ['a blank before the colon of the host', get('/health/live', `Host : ${host}\r\n`), 400, true],

  ['a length and chunks', post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${NEXT}`), 400, true],
  ['an unknown encoding', chunked('Transfer-Encoding: xchunked'), 400, true],
  ['chunks with a blank before the colon', chunked('Transfer-Encoding : chunked'), 400, true],
  ['chunks in quotes', chunked('Transfer-Encoding: "chunked"'), 400, true],
  ['chunks, and then none', chunked('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'), 400, true],
  ['chunks that are not the last encoding', chunked('Transfer-Encoding: chunked, identity'), 400, true],
  ['chunks of HTTP/1.0', chunked('Transfer-Encoding: chunked', '1.0'), 400, true],
  ['two lengths', ofLengths(2, 40), 400, true],
  ['a list of lengths', ofLengths('2, 40'), 400, true],
  ['a length with a sign', ofLengths('+2'), 400, true],
  ['a length below nothing', ofLengths(-2), 400, true],
  ['a length beyond all numbers', ofLengths('99999999999999999999'), 400, true],
  ['a chunk beyond all numbers', post('Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n{}\r\n0\r\n\r\n${NEXT}`), 400, true],
  ['a chunk below nothing', post('Transfer-Encoding: chunked\r\n', `-2\r\n{}\r\n0\r\n\r\n${NEXT}`), 400, true],

  ['a header on two lines', get('/health/live', `${HOST}X-A: one\r\n two\r\n`), 400, true],
  ['a host on two lines', get('/health/live', `Host: ${host}\r\n evil.example\r\n`), 400, true],
  ['a blank before the first header', get('/health/live', ` X-A: one\r\n${HOST}`), 400, true],
  ['a return in a header', get('/health/live', `${HOST}X-Forwarded-For: 127.0.0.1\rSet-Cookie: pwned=1\r\n`), 400, true],
  ['a return in the number of the request', get('/health/live', `${HOST}X-Request-Id: a\rSet-Cookie: pwned=1\r\n`), 400, true],
  ['a NUL in a header', get('/health/live', `${HOST}X-A: a\0b\r\n`), 400, true],
  ['an encoded line in the number of the request', get('/health/live', `${HOST}X-Request-Id: pwned%0d%0aSet-Cookie:pwned=1\r\n`), 200],
  ['a number of the request without end', get('/health/live', `${HOST}X-Request-Id: ${'pwned'.repeat(600)}\r\n`), 200],
  ['statements for an address', get('/health/live', `${HOST}X-Forwarded-For: '; DROP TABLE accounts; --, <b id=pwned>\r\n`), 200],
  ['headers that put another path in place', get('/health/live', `${HOST}X-Original-URL: /api/v1/users\r\nX-Rewrite-URL: /api/v1/users\r\nX-HTTP-Method-Override: DELETE\r\n`), 200],
  ['a header of 17 kB', get('/health/live', `${HOST}X-A: ${'a'.repeat(17_000)}\r\n`), 431, true],
  ['120 headers', get('/health/live', HOST + Array.from({ length: 120 }, (_, index) => `X-${index}: a\r\n`).join('')), 431, true],

  ['a method with a blank', get('/health/live', HOST, 'G ET'), 400, true],
  ['a method that echoes', get('/health/live', HOST, 'TRACE'), 405],
  ['HTTP/0.9', 'GET /health/live\r\n', 400, true],
  ['HTTP/3.0 in words', `GET /health/live HTTP/3.0\r\n${HOST}\r\n`, 400, true],
  ['a greeting of TLS', Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 1, 2, 3]), 400, true],

  ['10,000 lists in each other', json('['.repeat(10_000) + ']'.repeat(10_000)), 400],
  ['4,000 objects in each other', json('{"user_name":'.repeat(4_000)), 400],
  ['10 MB that are announced', post('Content-Length: 10485760\r\n', ''), 413],
  ['more than a body may have', post('Transfer-Encoding: chunked\r\n', `${MUCH.length.toString(16)}\r\n${MUCH}\r\n`), 413],
];

/** What the server answers to `bytes`: all until it closes when it `ends`, and otherwise the first answer. */
function answerTo(bytes, ends) {
  return new Promise((done) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const finish = (closed) => {
      clearTimeout(late);
      socket.destroy();
      done({ text, closed });
    };
    const late = setTimeout(() => finish(false), WAIT_MS);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if (!ends && isWhole(text)) finish(false);
    });
    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    socket.write(bytes);
  });
}

/** Whether `text` holds an answer with its body. */
function isWhole(text) {
  const head = text.split('\r\n\r\n', 1)[0];
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  return text.length >= head.length + 4 + length;
}

/** All of it, each over a connection of its own. */
export async function wireJourney() {
  for (const [what, bytes, wanted, ends = false] of PROBES) {
    const { text, closed } = await answerTo(bytes, ends);
    const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));
    check(statuses.length === 1 && statuses[0] === wanted, `wire: ${what}: answered ${statuses.join(', ') || 'nothing'} and not ${wanted}`);
    check(!ends || closed, `wire: ${what}: the connection goes on`);
    check(!/pwned|root:|\[workspace\]|set-cookie/i.test(text), `wire: ${what}: what was sent, or a file, comes back`);
  }
  const { text } = await answerTo(NEXT, false);
  check(text.startsWith('HTTP/1.1 200'), 'wire: the server is gone');
}
