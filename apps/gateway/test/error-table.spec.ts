/** One test for every row of the error table in docs/ERRORS.md that REST clients can meet. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { REST_LIMITS } from '@ringleader/contracts';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness, HarnessOptions } from './support/gateway-harness.js';
import { problemOf, sendRaw } from './support/http-client.js';

let gateway: GatewayHarness;
const start = async (options?: HarnessOptions): Promise<string> => {
  gateway = await startGateway(options);
  return `${gateway.url}/v1/kv`;
};
afterEach(() => gateway.close());

const put = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { method: 'PUT', body: 'value', ...init });
const postBatch = (url: string, body: string, contentType = 'application/json'): Promise<Response> =>
  fetch(`${url}:batch`, { method: 'POST', body, headers: { 'Content-Type': contentType } });

describe('INVALID_ARGUMENT', () => {
  it.each([
    ['/%zz', 'percent sign'],
    ['/%', 'percent sign'],
    ['/%4', 'percent sign'],
    ['/%ff%fe', 'not valid UTF-8'],
    ['/%c0%80', 'not valid UTF-8'],
    ['/%ed%a0%80', 'not valid UTF-8'],
    ['/', 'is empty'],
    ['/k?nonsense=1', '"nonsense"'],
    ['/k?consistency=strong', 'linearizable or stale'],
    ['/k?consistency=stale&consistency=stale', 'given twice'],
    ['/k?maxStalenessMs=5', 'consistency=stale'],
    ['/k?consistency=stale&maxStalenessMs=-1', 'integer'],
    ['?limit=0', 'from 1 to 1000'],
    ['?limit=1001', 'from 1 to 1000'],
    ['?limit=ten', 'from 1 to 1000'],
    ['?reverse=maybe', 'true or false'],
    ['?prefix=%zz', 'percent sign'],
    ['?cursor=bogus', 'not one that a list has given'],
    ['?Limit=5', '"Limit"'],
    ['?prefix=a&prefix=b', 'given twice'],
  ])('GET /v1/kv%s', async (target, detail) => {
    const answer = await fetch(`${await start()}${target}`);
    const problem = await problemOf(answer);
    expect([answer.status, problem.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(problem.detail).toContain(detail);
  });

  it.each([
    ['Ringleader-Timeout-Ms', '0'],
    ['Ringleader-Timeout-Ms', '60001'],
    ['Ringleader-Timeout-Ms', '1.5'],
    ['Ringleader-Timeout-Ms', 'soon'],
    ['Idempotency-Key', 'x'.repeat(65)],
    ['If-Match', '17'],
    ['If-Match', '"17'],
    ['If-Match', '*, "17"'],
    ['If-Match', '"17" "18"'],
    ['If-Match', 'w/"17"'],
    ['If-Match', ','],
    ['If-None-Match', '17'],
    ['If-Unmodified-Since', 'Sun, 06 Nov 2094 08:49:37 GMT'],
    ['If-Modified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Content-Range', 'bytes 0-4/10'],
  ])('PUT with %s: %s', async (header, value) => {
    const answer = await put(`${await start()}/k`, { headers: { [header]: value } });
    const problem = await problemOf(answer);
    expect(problem).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT', header });
  });

  it.each([
    ['{"operations": [', 'not valid JSON'],
    ['\xff', 'not valid JSON'],
    ['[]', 'not valid'],
    ['{}', 'operations'],
    ['{"operations": [], "more": 1}', '"more"'],
    ['{"operations": [{"op": "get", "key": "k"}], "operations": []}', 'the field "operations" twice'],
    ['{"operations": [{"op": "put", "key": "k", "value": "a", "value": "b"}]}', 'the field "value" twice'],
    ['{"operations": [{"op": "get", "key": "k", "deep": {}}]}', '"deep"'],
    ['{"operations": [{"op": "get", "key": "k", "__proto__": {}}]}', '__proto__'],
    ['{"operations": [{"op": "move", "key": "k"}]}', 'operations.0'],
    ['{"operations": [{"op": "get", "key": 5}]}', 'operations.0.key'],
    ['{"operations": [{"op": "put", "key": "k", "value": "v", "ifAbsent": false}]}', 'ifAbsent'],
  ])('batch %s', async (body, detail) => {
    const problem = await problemOf(await postBatch(await start(), body));
    expect(problem).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' });
    expect(problem.detail).toContain(detail);
  });

  it.each(['/healthz?foo=1', '/readyz?foo', '/docs?foo=1', '/openapi.json?foo', '/v1/cluster?foo=1'])(
    'GET %s',
    async (path) => {
      await start();
      const problem = await problemOf(await fetch(gateway.url + path));
      expect(problem).toMatchObject({ code: 'INVALID_ARGUMENT', parameter: 'foo' });
    },
  );

  it.each([
    ['Idempotency-Key', 'Idempotency-Key: a\r\nidempotency-key: b'],
    ['Content-Type', 'Content-Type: text/plain\r\nContent-Type: text/html'],
    ['Ringleader-Timeout-Ms', 'Ringleader-Timeout-Ms: 100\r\nRingleader-Timeout-Ms: 100'],
    ['Host', 'HOST: y'],
    ['Transfer-Encoding', 'Transfer-Encoding: gzip, chunked'],
  ])('%s given twice, or not as it may be', async (header, lines) => {
    await start();
    const { status, text } = await sendRaw(gateway.port, {
      chunks: [`PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n\r\n`],
      end: true,
    });
    expect(status).toBe(400);
    expect(text).toContain('"code":"INVALID_ARGUMENT"');
    expect(text).toContain(`"header":"${header}"`);
  });

  it('a request without a Host', async () => {
    await start();
    const chunks = ['GET /v1/kv/k HTTP/1.1\r\nConnection: close\r\n\r\n'];
    const { status, text } = await sendRaw(gateway.port, { chunks });
    expect(status).toBe(400);
    expect(text).toContain('"header":"Host"');
  });

  it('is also what the HTTP parser answers', async () => {
    await start();
    const { status, text } = await sendRaw(gateway.port, { chunks: ['NONSENSE\r\n\r\n'] });
    expect(status).toBe(400);
    expect(text).toContain('Content-Type: application/problem+json');
    expect(text).toContain('Connection: close');
    expect(text).toContain('"code":"INVALID_ARGUMENT"');
  });
});

it('KEY_TOO_LONG', async () => {
  const url = await start();
  expect((await put(`${url}/${'k'.repeat(1_024)}`)).status).toBe(201);
  const problem = await problemOf(await put(`${url}/${'%C3%A9'.repeat(513)}`));
  expect(problem).toMatchObject({ status: 400, code: 'KEY_TOO_LONG', keyBytes: 1_026, keyBytesMax: 1_024 });
});

it.each(['text/plain', 'application/json; charset=latin1', 'nonsense'])(
  'UNSUPPORTED_MEDIA_TYPE: a batch of %s',
  async (contentType) => {
    const problem = await problemOf(await postBatch(await start(), '{"operations": []}', contentType));
    expect(problem).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      allowed: ['application/json', 'application/cbor'],
    });
  },
);

it.each([
  ['PUT', '/v1/kv/k'],
  ['POST', '/v1/kv:batch'],
])('UNSUPPORTED_MEDIA_TYPE: a Content-Encoding, %s %s', async (method, path) => {
  await start();
  const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
  const answer = await fetch(gateway.url + path, { method, headers, body: 'zipped' });
  expect(answer.headers.get('accept-encoding')).toBe('identity');
  expect(await problemOf(answer)).toMatchObject({
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    contentEncoding: 'gzip',
    allowed: ['identity'],
  });
});

it('EXPECTATION_FAILED: what nobody can expect', async () => {
  await start();
  const { status, text } = await sendRaw(gateway.port, {
    chunks: [
      'GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nExpect: the-unexpected\r\nConnection: close\r\n\r\n',
    ],
  });
  expect(status).toBe(417);
  expect(text).toContain('"code":"EXPECTATION_FAILED"');
});

it('MISDIRECTED_REQUEST: a host that is not ours', async () => {
  await start();
  const { status, text } = await sendRaw(gateway.port, {
    chunks: ['GET /healthz HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n'],
  });
  expect(status).toBe(421);
  expect(text).toContain('"code":"MISDIRECTED_REQUEST"');
  expect(text).toContain('"host":"rebound.example"');
});

it('KEY_NOT_FOUND', async () => {
  const url = await start();
  for (const method of ['GET', 'DELETE']) {
    const problem = await problemOf(await fetch(`${url}/none`, { method }));
    expect(problem).toMatchObject({ status: 404, code: 'KEY_NOT_FOUND', instance: '/v1/kv/none' });
  }
  const head = await fetch(`${url}/none`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([404, '']);
});

it.each([
  '/index.html',
  '/v1',
  '/v1/kvs',
  '/v1//kv/k',
  '//v1/kv/k',
  '/v1%2Fkv/k',
  '/v1/kv%2Fk',
  '/v1/kv;x/k',
  '/v2/kv/k',
  '/v1/kv:nonsense',
  '/favicon.ico',
])('ROUTE_NOT_FOUND: %s', async (path) => {
  await start();
  const problem = await problemOf(await fetch(gateway.url + path));
  expect(problem).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND', instance: path });
});

it.each([
  ['POST', '/v1/kv/k', 'DELETE, GET, HEAD, OPTIONS, PUT'],
  ['PATCH', '/v1/kv/k', 'DELETE, GET, HEAD, OPTIONS, PUT'],
  ['PATCH', '/v1/%6Bv/k', 'DELETE, GET, HEAD, OPTIONS, PUT'],
  ['DELETE', '/v1/kv', 'GET, HEAD, OPTIONS'],
  ['GET', '/v1/kv:batch', 'OPTIONS, POST'],
  ['GET', '/v1/kv:bat%63h', 'OPTIONS, POST'],
  ['POST', '/v1/cluster', 'GET, HEAD, OPTIONS'],
  ['PROPFIND', '/healthz', 'GET, HEAD, OPTIONS'],
])('METHOD_NOT_ALLOWED: %s %s', async (method, path, allow) => {
  await start();
  const answer = await fetch(gateway.url + path, { method });
  expect(answer.headers.get('allow')).toBe(allow);
  expect(await problemOf(answer)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED', method });
});

it('PRECONDITION_FAILED, with the present revision', async () => {
  const url = await start();
  await put(`${url}/k`);
  const conditional = (headers: Record<string, string>, method = 'PUT'): Promise<Response> =>
    fetch(`${url}/k`, { method, headers, ...(method === 'PUT' && { body: 'other' }) });
  for (const answer of [
    await conditional({ 'If-None-Match': '*' }),
    await conditional({ 'If-Match': '"7"' }),
    await conditional({ 'If-Match': '*', 'If-None-Match': '*' }),
    await conditional({ 'If-Match': '"7"' }, 'DELETE'),
    await conditional({ 'If-Match': '"7"' }, 'GET'),
  ]) {
    expect(await problemOf(answer)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED', revision: 1 });
  }
  const absent = await fetch(`${url}/none`, { method: 'PUT', headers: { 'If-Match': '*' }, body: 'v' });
  expect(await problemOf(absent)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED', revision: 0 });
});

it('VALUE_TOO_LARGE, with the limit', async () => {
  const url = await start();
  const { valueBytesMax: bytesMax } = REST_LIMITS;
  expect((await put(`${url}/k`, { body: new Uint8Array(bytesMax) })).status).toBe(201);
  for (const bytes of [bytesMax + 1, 8 * bytesMax]) {
    const problem = await problemOf(await put(`${url}/k`, { body: new Uint8Array(bytes) }));
    expect(problem).toMatchObject({ status: 413, code: 'VALUE_TOO_LARGE', bytesMax });
  }
});

it('REQUEST_TOO_LARGE, with the limit', async () => {
  const url = await start();
  const tooLong = `{"operations": [${' '.repeat(REST_LIMITS.batchBytesMax)}]}`;
  expect(await problemOf(await postBatch(url, tooLong))).toMatchObject({
    status: 413,
    code: 'REQUEST_TOO_LARGE',
    bytesMax: REST_LIMITS.batchBytesMax,
  });
  const operations = Array.from({ length: 1_001 }, (_, i) => ({ op: 'get', key: `k${i}` }));
  expect(await problemOf(await postBatch(url, JSON.stringify({ operations })))).toMatchObject({
    status: 413,
    code: 'REQUEST_TOO_LARGE',
    operationsMax: 1_000,
  });
});

it('VALUE_TOO_LARGE at once, where the body would never end', async () => {
  await start();
  const { status, text } = await sendRaw(gateway.port, {
    chunks: ['PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9007199254740992\r\n\r\nbegin'],
  });
  expect(status).toBe(413);
  expect(text).toContain('"code":"VALUE_TOO_LARGE"');
});

it('HEADERS_TOO_LARGE', async () => {
  await start();
  const { status, text } = await sendRaw(gateway.port, {
    chunks: [`GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`],
  });
  expect(status).toBe(431);
  expect(text).toContain('"code":"HEADERS_TOO_LARGE"');
});

it.each([
  [
    'too many bytes of headers',
    431,
    `HEAD /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`,
  ],
  ['a path that is too long', 431, `HEAD /v1/kv/${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ['a header that is none', 400, 'HEAD /v1/kv/k HTTP/1.1\r\nno header\r\n\r\n'],
])('a HEAD that cannot be read is answered without a body: %s', async (_, expected, chunk) => {
  await start();
  const { status, text } = await sendRaw(gateway.port, { chunks: [chunk] });
  expect(status).toBe(expected);
  expect(text).toMatch(/Content-Length: [1-9]\d*\r\n/);
  expect(text.slice(text.indexOf('\r\n\r\n'))).toBe('\r\n\r\n');
  // A connection's later requests are not told apart from what is behind them in a packet.
  const head = 'HEAD /v1/kv/k HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const behind = await sendRaw(gateway.port, { chunks: [`${head}NONSENSE\r\n\r\n`] });
  expect(behind.text).toContain('"code":"INVALID_ARGUMENT"');
});

it('HEADERS_TOO_LARGE: more of them than are read, short as they are', async () => {
  await start();
  const ask = (count: number): ReturnType<typeof sendRaw> => {
    const more = Array.from({ length: count - 2 }, (_, i) => `a${i}: 1\r\n`).join('');
    const chunks = [`GET /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`];
    return sendRaw(gateway.port, { chunks });
  };
  expect((await ask(REST_LIMITS.headersMax)).status).toBe(404);
  const { status, text } = await ask(REST_LIMITS.headersMax + 1);
  expect(status).toBe(431);
  expect(text).toContain('at most 1000 headers');
  expect(text).toContain('"headersMax":1000');
});

it('REQUEST_TIMEOUT: a body that does not come', async () => {
  await start({ timings: { requestTimeoutMs: 200, headersTimeoutMs: 200, checkIntervalMs: 50 } });
  const { status, text } = await sendRaw(gateway.port, {
    chunks: ['PUT /v1/kv/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf'],
  });
  expect(status).toBe(408);
  expect(text).toContain('"code":"REQUEST_TIMEOUT"');
});

it('RATE_LIMITED: one client has too much under way', async () => {
  const url = await start({ admission: { clientRequestsMax: 1 } });
  gateway.shards.intercept = () => 'lose';
  const headers = { 'Ringleader-Timeout-Ms': '300' };
  const [first, second] = await Promise.all([put(`${url}/a`, { headers }), fetch(`${url}/b`, { headers })]);
  const limited = [first, second].find(({ status }) => status === 429) as Response;
  expect(limited.headers.get('retry-after')).toBe('1');
  expect(await problemOf(limited)).toMatchObject({ code: 'RATE_LIMITED', requestsMax: 1 });
});

describe('OVERLOADED', () => {
  it('the gateway has too much under way', async () => {
    const url = await start({ admission: { requestsMax: 0 } });
    const answer = await put(`${url}/k`);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'OVERLOADED' });
  });

  it('the shard has', async () => {
    const url = await start();
    gateway.shards.intercept = ({ token }) => ({ kind: 'overloaded', token });
    expect(await problemOf(await put(`${url}/k`))).toMatchObject({ status: 503, code: 'OVERLOADED' });
  });
});

const inTime = { headers: { 'Ringleader-Timeout-Ms': '250' } };

it('UNAVAILABLE: nobody leads, so nothing was done', async () => {
  const url = await start();
  gateway.shards.intercept = ({ token }) => ({ kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 1 });
  for (const ask of [() => put(`${url}/k`, inTime), () => fetch(`${url}/k`, inTime)]) {
    let answer = await ask();
    // The time was up while an attempt was on its way.
    while (answer.status === 504) answer = await ask();
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  }
});

it('UNAVAILABLE: the transport is down, so nothing was sent', async () => {
  const url = await start();
  gateway.shards.isOpen = false;
  expect(await problemOf(await put(`${url}/k`, inTime))).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
});

it('OUTCOME_UNKNOWN: a write that nobody answers', async () => {
  const url = await start();
  gateway.shards.losesReply = () => true;
  expect(await problemOf(await put(`${url}/k`, inTime))).toMatchObject({
    status: 504,
    code: 'OUTCOME_UNKNOWN',
  });
});

it('OUTCOME_UNKNOWN: a repeat of a write that nobody remembers', async () => {
  const url = await start();
  gateway.shards.intercept = ({ token }) => ({ kind: 'outcomeUnknown', token });
  const problem = await problemOf(await put(`${url}/k`, { headers: { 'Idempotency-Key': 'a' } }));
  expect(problem).toMatchObject({ status: 504, code: 'OUTCOME_UNKNOWN' });
  expect(problem.detail).toContain('Nothing was done now');
});

it('DEADLINE_EXCEEDED: a read that nobody answers', async () => {
  const url = await start();
  gateway.shards.losesReply = () => true;
  expect(await problemOf(await fetch(`${url}/k`, inTime))).toMatchObject({
    status: 504,
    code: 'DEADLINE_EXCEEDED',
  });
});

it('DEADLINE_EXCEEDED: a read that no shard began in time', async () => {
  const url = await start();
  gateway.shards.intercept = ({ token, remainingMs }, shard) => {
    // As a shard answers what it comes to after the deadline.
    setTimeout(() => gateway.shards.deliver(shard, [{ kind: 'overloaded', token }]), remainingMs);
    return 'lose';
  };
  const answer = await fetch(`${url}/k`, { headers: { 'Ringleader-Timeout-Ms': '5' } });
  expect(await problemOf(answer)).toMatchObject({ status: 504, code: 'DEADLINE_EXCEEDED' });
});

it('INTERNAL: with an id that stands in the log too', async () => {
  const url = await start();
  gateway.shards.intercept = ({ token }) => ({ kind: 'row', token, row: null, stalenessMs: 0 });
  const problem = await problemOf(await put(`${url}/k`));
  expect(problem).toMatchObject({ status: 500, code: 'INTERNAL' });
  expect(gateway.log.join('\n')).toContain(String(problem['id']));
});
