/** HTTP as the standards have it: one reading of the target, order, caches, preconditions, hosts, expectations. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Written } from '@ringleader/contracts';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { answersIn, problemOf, sendRaw } from './support/http-client.js';

let gateway: GatewayHarness;
let key: string;
let unique = 0;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  key = `k-${++unique}`;
});
afterEach(() => {
  gateway.shards.intercept = () => null;
});

/** A request line, a body and further headers as bytes. */
function raw(line: string, body = '', headers: readonly string[] = []): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${line} HTTP/1.1`, 'Host: localhost', ...length, ...headers, '', body].join('\r\n');
}

/** All on one connection, pipelined. */
async function pipeline(...requests: string[]): Promise<ReturnType<typeof answersIn>> {
  // The server ends the connection; how soon depends on how busy the machine is.
  const { text } = await sendRaw(gateway.port, { chunks: [requests.join('')], end: true, waitMs: 30_000 });
  return answersIn(text);
}

const only = async (request: string): Promise<ReturnType<typeof answersIn>[number]> => {
  const [answer] = await pipeline(request);
  if (answer === undefined) throw new Error('No answer');
  return answer;
};

const valueOf = async (name: string): Promise<string | null> => {
  const answer = await fetch(`${gateway.url}/v1/kv/${encodeURIComponent(name)}`);
  return answer.status === 404 ? null : answer.text();
};
const put = async (name: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}/v1/kv/${encodeURIComponent(name)}`, { method: 'PUT', body, headers });
const revisionOf = async (name: string): Promise<number> =>
  ((await (await put(name, 'v')).json()) as Written).revision;

describe('the target', () => {
  it.each([
    ['/v1/%6Bv/', ''],
    ['/v%31/kv/', ''],
    ['/%76%31/%6b%76/', ''],
    ['http://localhost/v1/kv/', ''],
    ['HTTP://LOCALHOST:1/v1/%6Bv/', ''],
    ['/v1/kv/', '?'],
  ])('%sKEY%s names the key KEY, to write, to read and to delete', async (prefix, suffix) => {
    const written = await only(raw(`PUT ${prefix}${key}${suffix}`, 'v'));
    expect([written.status, (JSON.parse(written.body) as Written).key]).toEqual([201, key]);
    expect(await valueOf(key)).toBe('v');
    expect((await only(raw(`GET ${prefix}${key}${suffix}`))).body).toBe('v');
    expect((await only(raw(`DELETE ${prefix}${key}${suffix}`))).status).toBe(204);
    expect(await valueOf(key)).toBeNull();
  });

  it.each(['/v1/%6Bv/a%2Fb//c/./%252F', 'http://localhost/v1/kv/a%2Fb//c/./%252F'])(
    'keeps what is the key, decoded once: %s',
    async (target) => {
      const { body } = await only(raw(`PUT ${target}`, 'v'));
      expect((JSON.parse(body) as Written).key).toBe('a/b//c/./%2F');
    },
  );

  it.each([
    ['GET', '/v1/kv/a#b', 400],
    ['GET', '/v1/%zz/a', 400],
    ['GET', '/v1/%ff/a', 400],
    ['GET', '*', 400],
    ['GET', 'http://', 400],
    ['GET', 'http:///v1/kv/a', 400],
    ['GET', 'http://user@localhost/v1/kv/a', 400],
    ['GET', 'http://elsewhere/v1/kv/a', 421],
    ['GET', 'http://localhost', 200],
    ['GET', '/docs/%2e%2e%2f%2e%2e%2fpackage.json', 404],
    ['GET', '/docs/..%2f..%2fpackage.json', 404],
    ['GET', '/v1/./kv/a', 404],
    ['GET', '/v1/%2e/kv/a', 404],
    ['GET', '/v1/%6Bv', 200],
    ['GET', '/v1/%6Bv/?', 400],
  ])('%s %s is answered with %i', async (method, target, status) => {
    expect((await only(raw(`${method} ${target}`))).status).toBe(status);
  });

  it.each(['http://localhost/v1/kv:batch', '/v1/kv:bat%63h', '/v1/kv%3Abatch', '/%761/kv:batch'])(
    'POST %s has the limits of a batch',
    async (target) => {
      const operations = [
        { op: 'put', key, value: 'v'.repeat(1_000_000) },
        ...Array<object>(40).fill({ op: 'get', key }),
      ];
      const body = JSON.stringify({ operations }) + ' '.repeat(2_000_000);
      const answer = await only(raw(`POST ${target}`, body, ['Content-Type: application/json']));
      expect([answer.status, answer.body.slice(0, 12)]).toEqual([200, '{"results":[']);
    },
  );
});

describe('the requests of one connection', () => {
  it('are done in order once one of them is not safe', async () => {
    for (let i = 0; i < 20; i++) {
      const target = `/v1/kv/${key}`;
      const answers = await pipeline(
        raw(`GET ${target}`),
        raw(`PUT ${target}`, 'one'),
        raw(`GET ${target}`),
        raw(`PUT ${target}`, 'two'),
        raw(`GET ${target}`),
        raw(`DELETE ${target}`),
        raw(`GET ${target}`),
      );
      expect(answers.map(({ status }) => status)).toEqual([404, 201, 200, 200, 200, 204, 404]);
      expect([answers[2]?.body, answers[4]?.body]).toEqual(['one', 'two']);
    }
  });

  it('run side by side while they are safe', async () => {
    await put(key, 'v');
    let reads = 0;
    let most = 0;
    gateway.shards.intercept = ({ kind }) => {
      if (kind !== 'read') return null;
      most = Math.max(most, ++reads);
      queueMicrotask(() => queueMicrotask(() => (reads -= 1)));
      return null;
    };
    const answers = await pipeline(...Array<string>(8).fill(raw(`GET /v1/kv/${key}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(most).toBeGreaterThan(1);
  });

  it('are not begun after one that is to be the last, which is answered', async () => {
    const [first, ...more] = await pipeline(
      raw(`PUT /v1/kv/${key}`, 'first', ['Connection: close']),
      raw(`PUT /v1/kv/${key}`, 'second'),
    );
    expect([first?.status, more]).toEqual([201, []]);
    expect(await valueOf(key)).toBe('first');
  });

  it('are answered before what is no request behind them', async () => {
    const answers = await pipeline(
      raw(`PUT /v1/kv/${key}`, 'v'),
      raw(`GET /v1/kv/${key}`),
      'NONSENSE\r\n\r\n',
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 400]);
    expect(answers[2]?.headers.get('connection')).toBe('close');
  });

  it('are in order also when the client asks before it sends a body', async () => {
    const target = `/v1/kv/${key}`;
    const { text } = await sendRaw(gateway.port, {
      chunks: [
        raw(`PUT ${target}`, 'one') +
          raw(`PUT ${target}`, 'two', ['Expect: 100-continue']) +
          raw(`GET ${target}`),
      ],
      end: true,
    });
    expect(answersIn(text).map(({ status }) => status)).toEqual([201, 100, 200, 200]);
    expect(await valueOf(key)).toBe('two');
  });

  it('of HTTP/1.0 are answered, without being asked to go on', async () => {
    const request = `PUT /v1/kv/${key} HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nv`;
    const { text } = await sendRaw(gateway.port, { chunks: [request], end: true });
    expect(answersIn(text).map(({ status }) => status)).toEqual([201]);
  });

  it('wait in bounded number, however many a client sends', async () => {
    gateway.shards.intercept = ({ kind }) => (kind === 'write' ? 'lose' : null);
    const first = raw(`PUT /v1/kv/${key}`, 'v', ['Ringleader-Timeout-Ms: 1000']);
    const count = 20_000;
    const before = process.memoryUsage().heapUsed;
    const answered = pipeline(first + raw(`GET /v1/kv/${key}`).repeat(count));
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed - before)), 20);
    const [written, ...reads] = await answered;
    clearInterval(watch);
    expect(written?.status).toBe(504);
    expect(reads).toHaveLength(count);
    expect(reads.some(({ status }) => status === 429)).toBe(true);
    expect(most).toBeLessThan(200 * 1_048_576);
  }, 60_000);
});

describe('caches', () => {
  it.each<[string, string, string, Record<string, string>, number]>([
    ['a value', 'GET', '/v1/kv/cached', {}, 200],
    ['its head', 'HEAD', '/v1/kv/cached', {}, 200],
    ['304', 'GET', '/v1/kv/cached', { 'If-None-Match': '*' }, 304],
    ['412', 'GET', '/v1/kv/cached', { 'If-Match': '"999"' }, 412],
    ['404', 'GET', '/v1/kv/none', {}, 404],
    ['400', 'GET', '/v1/kv/k?x=y', {}, 400],
    ['405', 'POST', '/v1/kv/k', {}, 405],
    ['no such route', 'GET', '/nowhere', {}, 404],
    ['a list', 'GET', '/v1/kv', {}, 200],
    ['a stream', 'GET', '/v1/kv', { Accept: 'application/x-ndjson' }, 200],
    ['a refused list', 'GET', '/v1/kv?limit=x', {}, 400],
    ['the cluster', 'GET', '/v1/cluster', {}, 200],
    ['a probe', 'GET', '/readyz', {}, 200],
    ['the document', 'GET', '/openapi.json', {}, 200],
  ])('ask again before they use %s', async (...[, method, path, headers, status]) => {
    await put('cached', 'v');
    const answer = await fetch(gateway.url + path, { method, headers });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-cache']);
    expect(answer.headers.get('vary')).toBe(/^\/v1\/kv(\?|$)/.test(path) ? 'Accept' : null);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('are told so of writes, of a batch, and of what is no HTTP', async () => {
    const written = await put(key, 'v');
    const deleted = await fetch(`${gateway.url}/v1/kv/${key}`, { method: 'DELETE' });
    const nonsense = await sendRaw(gateway.port, { chunks: ['NONSENSE\r\n\r\n'] });
    const batch = await fetch(`${gateway.url}/v1/kv:batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"operations": []}',
    });
    for (const { headers } of [written, deleted, batch, ...answersIn(nonsense.text)]) {
      expect(headers.get('cache-control')).toBe('no-cache');
    }
  });
});

describe('preconditions', () => {
  it.each(['GET', 'HEAD'])(
    'that make a %s a 304 do not give it the length of another body',
    async (method) => {
      await put(key, 'value');
      const answer = await only(raw(`${method} /v1/kv/${key}`, '', ['If-None-Match: *']));
      expect([answer.status, answer.headers.get('content-length')]).toEqual([304, null]);
    },
  );

  const ago = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const write = async (headers: Record<string, string>, method = 'PUT'): Promise<number> =>
    (
      await fetch(`${gateway.url}/v1/kv/${key}`, {
        method,
        headers,
        ...(method === 'PUT' && { body: 'new' }),
      })
    ).status;
  const read = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${gateway.url}/v1/kv/${key}`, { headers })).status;

  it.each([
    ['If-Match', '"R"', 200],
    ['If-Match', '"0"', 412],
    ['If-Match', '"0R"', 412],
    ['If-Match', 'W/"R"', 412],
    ['If-Match', '"R-gzip"', 412],
    ['If-Match', '"a", "R"', 200],
    ['If-Match', '"999,R"', 412],
    ['If-Match', '"999", "998", "R"', 200],
    ['If-Match', '"999","998"', 412],
    ['If-Match', ' , "R" ,, ', 200],
    ['If-Match', '""', 412],
    ['If-Match', '"9007199254740992"', 412],
    ['If-Match', '"9999999999999999"', 412],
    ['If-Match', '"R", "999", W/"999"', 200],
    ['If-None-Match', '"R"', 412],
    ['If-None-Match', 'W/"R"', 412],
    ['If-None-Match', '"R-gzip"', 200],
    ['If-None-Match', '"999"', 200],
    ['If-None-Match', '"999", "R"', 412],
    ['If-None-Match', '"9999999999999999"', 200],
    ['If-None-Match', '*', 412],
  ])('%s: %s on a write to a key of revision R is %i', async (header, value, status) => {
    const revision = await revisionOf(key);
    expect(await write({ [header]: value.replaceAll('R', String(revision)) })).toBe(status);
    expect(await valueOf(key)).toBe(status === 200 ? 'new' : 'v');
  });

  it.each([
    ['If-Match', '"0"', 412],
    ['If-Match', '*', 412],
    ['If-Match', '"1", "2"', 412],
    ['If-None-Match', '"1", "2"', 201],
    ['If-None-Match', '"0"', 201],
  ])('%s: %s on a write to a key that there is not is %i', async (header, value, status) => {
    expect(await write({ [header]: value })).toBe(status);
    expect(await valueOf(key)).toBe(status === 201 ? 'new' : null);
  });

  it('of a write hold together', async () => {
    const revision = await revisionOf(key);
    expect(await write({ 'If-Match': `"${revision}"`, 'If-None-Match': `"${revision}"` })).toBe(412);
    expect(await write({ 'If-Match': '*', 'If-None-Match': `"${revision}"` })).toBe(412);
    expect(await write({ 'If-Match': '*', 'If-None-Match': '"999"' })).toBe(200);
    expect(await write({ 'If-Match': '"998", "999"' }, 'DELETE')).toBe(412);
    // A tag takes the place of a time (RFC 9110, 13.1.4).
    expect(await write({ 'If-Match': '*', 'If-Unmodified-Since': ago })).toBe(200);
  });

  const TAGS = [undefined, '*', '"R"', '"999"', '"R", "999"', '"998", "999"'] as const;
  const namesRevision = (tags: string | undefined): boolean =>
    tags !== undefined && (tags === '*' || tags.includes('R'));
  const headersOf = (name: string, tags: string | undefined, revision: number): Record<string, string> =>
    tags === undefined ? {} : { [name]: tags.replace('R', String(revision)) };
  const pairs = TAGS.flatMap((match) => TAGS.map((noneMatch) => [match, noneMatch] as const));

  it.each([
    ['PUT', 'that is there', 200, 412],
    ['DELETE', 'that is there', 204, 412],
    ['PUT', 'that there is not', 201, 412],
    ['DELETE', 'that there is not', 404, 404],
  ] as const)('of a %s of a key %s hold as RFC 9110, 13.2.2 has it', async (method, which, done, refused) => {
    const exists = which === 'that is there';
    for (const [match, noneMatch] of pairs) {
      key = `k-${++unique}`;
      const revision = exists ? await revisionOf(key) : 1;
      const matches = match === undefined || (exists && namesRevision(match));
      const isExcluded = exists && namesRevision(noneMatch);
      const headers = {
        ...headersOf('If-Match', match, revision),
        ...headersOf('If-None-Match', noneMatch, revision),
      };
      const expected = matches && !isExcluded ? done : refused;
      expect([match, noneMatch, await write(headers, method)]).toEqual([match, noneMatch, expected]);
    }
  });

  it('of several revisions follow a write that comes in between', async () => {
    const first = await revisionOf(key);
    let hasRaced = false;
    gateway.shards.intercept = ({ kind }) => {
      if (kind === 'write' && !hasRaced) {
        hasRaced = true;
        // As if somebody else had been first: the shard decides against the present row.
        void put(key, 'raced');
      }
      return null;
    };
    const statuses = [
      await write({ 'If-None-Match': '"999"' }),
      await write({ 'If-Match': `"${first}", "1"` }),
    ];
    expect(statuses[0]).toBe(200);
    expect(statuses[1]).toBe(412);
  });

  it('of several revisions are repeatable', async () => {
    const revision = await revisionOf(key);
    const headers = { 'If-Match': `"${revision}", "999"`, 'Idempotency-Key': key };
    const first = await (await put(key, 'once', headers)).json();
    await put(key, 'later');
    expect(await (await put(key, 'once', headers)).json()).toEqual(first);
    expect(await valueOf(key)).toBe('later');
  });

  it('of a read compare tags and times, tags first', async () => {
    const revision = await revisionOf(key);
    const tag = `"${revision}"`;
    const modified = (await fetch(`${gateway.url}/v1/kv/${key}`)).headers.get('last-modified') ?? '';
    const future = 'Sunday, 06-Nov-44 08:49:37 GMT';
    const asctime = 'Sun Nov  6 08:49:37 1994';
    expect(await read({ 'If-Match': `W/${tag}` })).toBe(412);
    expect(await read({ 'If-Match': `"x", ${tag}` })).toBe(200);
    expect(await read({ 'If-Match': '"0"' })).toBe(412);
    expect(await read({ 'If-None-Match': `W/${tag}` })).toBe(304);
    expect(await read({ 'If-None-Match': `"${revision}-gzip"` })).toBe(200);
    expect(await read({ 'If-Modified-Since': modified })).toBe(304);
    expect(await read({ 'If-Modified-Since': future })).toBe(304);
    expect(await read({ 'If-Modified-Since': ago })).toBe(200);
    expect(await read({ 'If-Modified-Since': asctime })).toBe(200);
    expect(await read({ 'If-Unmodified-Since': modified })).toBe(200);
    expect(await read({ 'If-Unmodified-Since': ago })).toBe(412);
    expect(await read({ 'If-Unmodified-Since': asctime })).toBe(412);
    expect(await read({ 'If-Unmodified-Since': 'yesterday' })).toBe(400);
    expect(await read({ 'If-Match': tag, 'If-Unmodified-Since': ago })).toBe(200);
    expect(await read({ 'If-None-Match': '"x"', 'If-Modified-Since': future })).toBe(200);
    expect(await read({ 'If-Match': '"x"', 'If-None-Match': tag })).toBe(412);
  });

  it.each<[string, string, Record<string, string>, number]>([
    ['POST', '/v1/kv:batch', { 'If-Match': '"1"' }, 400],
    ['POST', '/v1/kv:batch', { 'If-None-Match': '*' }, 400],
    ['POST', '/v1/kv:batch', { 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 400],
    ['POST', '/v1/kv:batch', { 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 400],
    ['GET', '/v1/kv', { 'If-Match': '"1"' }, 400],
    ['GET', '/v1/kv', { 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 400],
    ['GET', '/v1/kv', { 'If-None-Match': '"1"' }, 200],
    ...['/v1/cluster', '/openapi.json', '/docs', '/docs/swagger-ui.css', '/healthz', '/readyz'].flatMap(
      (path): [string, string, Record<string, string>, number][] => [
        ['GET', path, { 'If-Match': '*' }, 400],
        ['HEAD', path, { 'If-Match': '"1"' }, 400],
        ['GET', path, { 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 400],
        ['GET', path, { 'If-None-Match': '"1"' }, 200],
      ],
    ),
  ])('of %s %s, which has no version: %j is %i', async (method, path, headers, status) => {
    const operations = [{ op: 'put', key, value: 'unguarded' }];
    const body = method === 'POST' ? JSON.stringify({ operations }) : null;
    const answer = await fetch(`${gateway.url}${path}`, {
      method,
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
    expect(answer.status).toBe(status);
    if (status === 400 && method !== 'HEAD') {
      expect(await problemOf(answer)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        header: Object.keys(headers)[0],
      });
    }
    expect(await valueOf(key)).toBeNull();
  });

  it('of ranges mean nothing, since there are none: a value is given whole', async () => {
    await put(key, 'whole');
    for (const headers of [{ Range: 'bytes=0-1' }, { Range: 'bytes=0-1', 'If-Range': '"x"' }]) {
      const answer = await fetch(`${gateway.url}/v1/kv/${key}`, { headers });
      expect([answer.status, await answer.text()]).toEqual([200, 'whole']);
    }
  });
});

describe('a list', () => {
  it.each([
    ['application/x-ndjson', 'application/x-ndjson'],
    ['APPLICATION/X-NDJSON', 'application/x-ndjson'],
    ['application/x-ndjson, */*;q=0.1', 'application/x-ndjson'],
    ['application/x-ndjson;q=0.5, application/json;q=0.4', 'application/x-ndjson'],
    ['application/x-ndjson;q=0', 'application/json'],
    ['application/x-ndjson;q=0, */*', 'application/json'],
    ['application/x-ndjson;q=0.4, application/json', 'application/json'],
    ['text/html, */*', 'application/json'],
    ['text/html', 'application/json'],
    ['nonsense', 'application/json'],
  ])('is given to Accept: %s as %s', async (accept, type) => {
    const answer = await fetch(`${gateway.url}/v1/kv`, { headers: { Accept: accept } });
    await answer.arrayBuffer();
    expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([200, type]);
  });
});

describe('Expect: 100-continue', () => {
  const expecting = ['Expect: 100-continue'];
  const head = (line: string, ...headers: string[]): string => raw(line, '', [...headers, ...expecting]);
  it.each([
    ['PUT /v1/kv/k', ['Content-Length: 1048577'], 413],
    ['POST /v1/kv:batch', ['Content-Length: 8388609', 'Content-Type: application/json'], 413],
    ['POST http://localhost/v1/kv:bat%63h', ['Content-Length: 5', 'Content-Type: text/plain'], 415],
    ['PUT /v1/kv/k', ['Content-Length: 5', 'Content-Encoding: gzip'], 415],
    ['PUT /v1/kv/k', ['Content-Length: 5', 'Content-Range: bytes 0-4/5'], 400],
    ['PUT /v1/kv/k?x=y', ['Content-Length: 5'], 400],
    ['PUT /v1/kv/k', ['Content-Length: 5', 'If-Match: 17'], 400],
    ['PUT /v1/kv/k', ['Content-Length: 5', 'Ringleader-Timeout-Ms: x'], 400],
    [`PUT /v1/kv/${'k'.repeat(1_025)}`, ['Content-Length: 5'], 400],
    ['POST /v1/kv/k', ['Content-Length: 5'], 405],
    ['PUT /nowhere', ['Content-Length: 5'], 404],
  ])('%s %j is refused before the body is asked for', async (line, headers, status) => {
    const answer = await only(head(line, ...headers));
    expect([answer.status, answer.headers.get('connection')]).toEqual([status, 'close']);
  });

  it.each([
    ['?consistency=stale', {}],
    ['', { 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }],
  ])('of a read is not looked at as that of a write: %s %j', async (query, headers) => {
    await put(key, 'v');
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const line = `GET /v1/kv/${key}${query}`;
    const { text } = await sendRaw(gateway.port, {
      chunks: [raw(line, '', [...more, ...expecting, 'Connection: close'])],
    });
    expect(answersIn(text).map(({ status }) => status)).toEqual([100, 200]);
    const large = await only(raw(line, 'x'.repeat(200_000), [...more, 'Connection: close']));
    expect([large.status, large.body]).toEqual([200, 'v']);
  });

  it('is answered with 100 where nothing is wrong', async () => {
    const { text } = await sendRaw(gateway.port, {
      chunks: [raw(`PUT /v1/kv/${key}`, 'v', [...expecting, 'Connection: close'])],
    });
    expect(answersIn(text).map(({ status }) => status)).toEqual([100, 201]);
  });

  it('is refused where there is no room', async () => {
    const full = await startGateway({ admission: { requestsMax: 0 } });
    const { text } = await sendRaw(full.port, {
      chunks: [head('PUT /v1/kv/k', 'Content-Length: 5')],
      end: true,
    });
    await full.close();
    expect(answersIn(text).map(({ status }) => status)).toEqual([503]);
  });
});

describe('Transfer-Encoding', () => {
  const odd = (version: string, encoding: string, host = 'localhost'): string =>
    `PUT /v1/kv/k HTTP/${version}\r\nHost: ${host}\r\nConnection: keep-alive\r\n` +
    `Transfer-Encoding: ${encoding}\r\n\r\n1\r\nv\r\n0\r\n\r\n`;
  it.each([
    [odd('1.1', 'gzip, chunked'), 400],
    [odd('1.1', 'gzip, chunked', 'elsewhere.example'), 421],
    [odd('1.0', 'chunked'), 400],
  ])('that is refused is the last of its connection: %j', async (request, status) => {
    const answers = await pipeline(request, raw('GET /healthz'));
    expect(answers.map((answer) => [answer.status, answer.headers.get('connection')])).toEqual([
      [status, 'close'],
    ]);
  });
});

describe('Host', () => {
  const status = async (port: number, host: string): Promise<number | null> => {
    const request = `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    return (await sendRaw(port, { chunks: [request] })).status;
  };

  it.each([
    ['localhost', 200],
    ['LocalHost:8080', 200],
    ['localhost.', 200],
    ['app.localhost', 200],
    ['127.0.0.1', 200],
    ['127.9.9.9:1', 200],
    ['127.999.0.1', 421],
    ['127.0.1', 421],
    ['[::1]:8080', 200],
    ['[0:0:0:0:0:0:0:1]', 200],
    ['localhost.example', 421],
    ['notlocalhost', 421],
    ['127.0.0.1.example', 421],
    ['10.0.0.1', 421],
    ['[::2]', 421],
    ['', 400],
    ['a b', 400],
    ['user@localhost', 400],
    ['localhost/', 400],
    ['localhost:port', 400],
  ])('"%s" is answered with %i', async (host, expected) => {
    expect(await status(gateway.port, host)).toBe(expected);
  });

  it('may be what is configured', async () => {
    const named = await startGateway({ hosts: ['KV.example', '*.pods.example', '10.0.0.1', '2001:DB8::1'] });
    const hosts = ['kv.example', 'a.pods.example', '10.0.0.1:80', '[2001:db8:0::1]', 'localhost'];
    for (const host of hosts) expect([host, await status(named.port, host)]).toEqual([host, 200]);
    for (const host of ['pods.example', 'x.kv.example']) expect(await status(named.port, host)).toBe(421);
    await named.close();
    const any = await startGateway({ hosts: ['*'] });
    expect(await status(any.port, 'whatever.example')).toBe(200);
    await any.close();
  });
});

describe('clients behind proxies', () => {
  const refused = async (
    trustedProxies: readonly string[],
    forwarded: readonly string[],
  ): Promise<number> => {
    const proxied = await startGateway({ trustedProxies, admission: { clientRequestsMax: 1 } });
    proxied.shards.intercept = () => 'lose';
    const answers = await Promise.all(
      forwarded.map((address) =>
        fetch(`${proxied.url}/v1/kv/k`, {
          headers: { 'X-Forwarded-For': address, 'Ringleader-Timeout-Ms': '200' },
        }),
      ),
    );
    await proxied.close();
    return answers.filter(({ status }) => status === 429).length;
  };

  it('are told apart only where the proxy is trusted', async () => {
    const two = ['203.0.113.1', '203.0.113.2'];
    expect(await refused([], two)).toBe(1);
    expect(await refused(['10.0.0.0/8'], two)).toBe(1);
    expect(await refused(['127.0.0.0/8'], two)).toBe(0);
    // What the client wrote itself stands on the left.
    const forged = ['1.1.1.1, 203.0.113.1', '2.2.2.2, 203.0.113.1'];
    expect(await refused(['127.0.0.1'], forged)).toBe(1);
    expect(await refused(['127.0.0.1', '203.0.113.0/24'], forged)).toBe(0);
  });
});

describe('HEAD', () => {
  it.each(['/nowhere', '/v1/kv:batch', '/v1/cluster/settings/x', '/'])(
    'of %s has the length of what GET is answered',
    async (path) => {
      const [get, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => fetch(`${gateway.url}${path}`, { method })),
      );
      expect([head?.status, head?.headers.get('content-length')]).toEqual([
        ...[get?.status, get?.headers.get('content-length')],
      ]);
    },
  );
});

describe('methods', () => {
  it.each([
    ['/v1/kv/k', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['/v1/kv:batch', 'OPTIONS, POST'],
    ['/v1/%6Bv', 'GET, HEAD, OPTIONS'],
    ['*', 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT'],
  ])('OPTIONS %s tells them, and nothing of other origins', async (target, allow) => {
    const preflight = ['Origin: http://elsewhere.example', 'Access-Control-Request-Method: PUT'];
    const { status, headers } = await only(raw(`OPTIONS ${target}`, '', preflight));
    expect([status, headers.get('allow')]).toEqual([204, allow]);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('OPTIONS of what there is not is 404', async () => {
    const answer = await fetch(`${gateway.url}/nowhere`, { method: 'OPTIONS' });
    expect((await problemOf(answer)).code).toBe('ROUTE_NOT_FOUND');
  });

  it.each([
    ['TRACE /v1/kv/k', 405],
    ['CONNECT localhost:80', 405],
  ])('%s is refused', async (line, status) => {
    const answer = await only(raw(line));
    expect([answer.status, answer.headers.has('allow')]).toEqual([status, true]);
  });
});

it('a stored page is no page of this origin', async () => {
  await put(key, '<script>alert(1)</script>', { 'Content-Type': 'text/html' });
  const { headers } = await fetch(`${gateway.url}/v1/kv/${key}`);
  expect(headers.get('content-security-policy')).toBe('sandbox');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});
