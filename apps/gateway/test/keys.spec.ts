/** /v1/kv/{key} and /v1/kv:batch as clients use them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BatchOperation, BatchResult, Written } from '@ringleader/contracts';
import { BATCH_FORMS, postBatch, resultsOf } from './support/batches.js';
import type { BatchFormName } from './support/batches.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf, sendRaw } from './support/http-client.js';

let gateway: GatewayHarness;
let url: string;
let unique = 0;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  url = `${gateway.url}/v1/kv/test-${++unique}`;
});

const put = (
  target: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> => fetch(target, { method: 'PUT', body, headers });

let form: BatchFormName = 'application/json';

async function batch(
  operations: readonly object[],
  headers: Record<string, string> = {},
): Promise<readonly BatchResult[]> {
  const answer = await postBatch(gateway.url, operations as BatchOperation[], form, headers);
  expect(answer.status).toBe(200);
  return resultsOf(answer);
}

describe('a value', () => {
  it('is created, replaced, read and deleted', async () => {
    const created = await put(url, 'one');
    const first = (await created.json()) as Written;
    expect([created.status, created.headers.get('etag')]).toEqual([201, `"${first.revision}"`]);
    expect(first).toMatchObject({ key: `test-${unique}`, version: 1, createdAt: first.modifiedAt });

    const replaced = await put(url, 'two');
    const second = (await replaced.json()) as Written;
    expect([replaced.status, second.version, second.createdAt]).toEqual([200, 2, first.createdAt]);

    const read = await fetch(url);
    expect([read.status, await read.text()]).toEqual([200, 'two']);
    expect(read.headers.get('etag')).toBe(`"${second.revision}"`);
    expect(read.headers.get('ringleader-version')).toBe('2');
    expect(read.headers.get('ringleader-served-by')).toMatch(/^shard-[123]$/);
    expect(Date.parse(read.headers.get('last-modified') ?? '')).toBe(
      Math.floor(Date.parse(second.modifiedAt) / 1_000) * 1_000,
    );

    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', '']);

    const deleted = await fetch(url, { method: 'DELETE' });
    expect([deleted.status, await deleted.text()]).toEqual([204, '']);
    expect((await fetch(url)).status).toBe(404);
  });

  it.each([
    'text/plain; charset=utf-8',
    'text/html',
    'application/json',
    'application/vnd.odd+json; a="b; c"; d',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'garbage;;; =',
    'x',
  ])('comes back with its Content-Type: %s', async (contentType) => {
    const bytes = new Uint8Array([0, 255, 13, 10, 128, 0xc3, 0x28]);
    expect((await put(url, bytes, { 'Content-Type': contentType })).status).toBe(201);
    const read = await fetch(url);
    expect(read.headers.get('content-type')).toBe(contentType);
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(bytes);
  });

  it('may be empty, and has a default Content-Type', async () => {
    const key = `/v1/kv/empty-${unique}`;
    for (const length of ['Content-Length: 0\r\n', '', 'Transfer-Encoding: chunked\r\n']) {
      const body = length.startsWith('T') ? '0\r\n\r\n' : '';
      const { status } = await sendRaw(gateway.port, {
        chunks: [`PUT ${key} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n${body}`],
        end: true,
      });
      expect([200, 201]).toContain(status);
    }
    const read = await fetch(gateway.url + key);
    expect([read.headers.get('content-type'), await read.text()]).toEqual(['application/octet-stream', '']);
  });
});

describe('a key', () => {
  it.each([
    ['config/db%20url', 'config/db url'],
    ['a//b', 'a//b'],
    ['%2Fa%2F%2Fb%2F', '/a//b/'],
    ['trailing/', 'trailing/'],
    ['%2e%2e%2Fup', '../up'],
    ['{tag}%7Bx%7D', '{tag}{x}'],
    ['%25', '%'],
    ['%252F', '%2F'],
    ['a+b', 'a+b'],
    ['a%3Fb%23c', 'a?b#c'],
    ['k:batch', 'k:batch'],
    ['*', '*'],
    [':key', ':key'],
    ['%00', '\0'],
    ['%F0%9F%98%80', '😀'],
    ['%C3%A9', 'é'],
  ])('of /v1/kv/%s is %j', async (encoded, key) => {
    const { status, text } = await sendRaw(gateway.port, {
      chunks: [
        `PUT /v1/kv/${encoded} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nv`,
      ],
    });
    expect(status).toBe(201);
    expect((JSON.parse(text.slice(text.indexOf('{'))) as Written).key).toBe(key);
    expect(await batch([{ op: 'get', key }])).toEqual([expect.objectContaining({ status: 200, value: 'v' })]);
  });

  it('may stand behind an authority', async () => {
    const request =
      'PUT http://localhost:80/v1/kv/a%2Fb HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nv';
    expect((await sendRaw(gateway.port, { chunks: [request] })).text).toContain('"key":"a/b"');
  });
});

describe('conditions', () => {
  it('If-Match and If-None-Match of a write', async () => {
    expect((await put(url, 'a', { 'If-Match': '*' })).status).toBe(412);
    const created = (await (await put(url, 'a', { 'If-None-Match': '*' })).json()) as Written;
    expect((await put(url, 'b', { 'If-None-Match': '*' })).status).toBe(412);
    expect((await put(url, 'b', { 'If-Match': '*' })).status).toBe(200);
    expect((await put(url, 'c', { 'If-Match': `"${created.revision}"` })).status).toBe(412);
    const tag = (await fetch(url)).headers.get('etag') ?? '';
    expect((await fetch(url, { method: 'DELETE', headers: { 'If-Match': tag } })).status).toBe(204);
  });

  it('do not count where there is nothing to delete', async () => {
    const conditions = [
      { 'If-Match': '"17"' },
      { 'If-Match': '*' },
      { 'If-Match': '"17", "18"' },
      { 'If-Match': '"other"' },
      { 'If-None-Match': '*' },
      { 'If-None-Match': '"17"' },
    ];
    const remove = (headers: Record<string, string>): Promise<Response> =>
      fetch(url, { method: 'DELETE', headers });
    for (const headers of conditions) {
      expect((await problemOf(await remove(headers))).code).toBe('KEY_NOT_FOUND');
    }
    const [absent] = await batch([{ op: 'delete', key: `none-${unique}`, ifRevision: 17 }]);
    expect(absent).toMatchObject({ status: 404, code: 'KEY_NOT_FOUND' });
    await put(url, 'a');
    expect((await problemOf(await remove({ 'If-Match': '"17000"' }))).code).toBe('PRECONDITION_FAILED');
    expect((await problemOf(await remove({ 'If-None-Match': '*' }))).code).toBe('PRECONDITION_FAILED');
    expect((await remove({ 'If-Match': '*' })).status).toBe(204);
    expect((await problemOf(await remove({ 'If-Match': '*' }))).code).toBe('KEY_NOT_FOUND');
  });

  it('If-None-Match and If-Match of a read', async () => {
    await put(url, 'a');
    const tag = (await fetch(url)).headers.get('etag') ?? '';
    const read = (headers: Record<string, string>): Promise<Response> => fetch(url, { headers });
    const unchanged = await read({ 'If-None-Match': tag });
    expect([unchanged.status, unchanged.headers.get('etag'), await unchanged.text()]).toEqual([304, tag, '']);
    expect((await read({ 'If-None-Match': `"999", W/${tag}` })).status).toBe(304);
    expect((await read({ 'If-Match': `W/${tag}` })).status).toBe(412);
    expect((await read({ 'If-None-Match': '*' })).status).toBe(304);
    expect((await read({ 'If-None-Match': '"999"' })).status).toBe(200);
    expect((await read({ 'If-Match': tag })).status).toBe(200);
    expect((await read({ 'If-Match': '"999"' })).status).toBe(412);
    expect((await fetch(`${url}-none`, { headers: { 'If-None-Match': '*' } })).status).toBe(404);
  });
});

describe('repeats', () => {
  it('get the first answer, whatever happened since', async () => {
    const headers = { 'Idempotency-Key': `k-${unique}` };
    const first = (await (await put(url, 'a', headers)).json()) as Written;
    await put(url, 'b');
    const repeat = await put(url, 'a', headers);
    expect([repeat.status, await repeat.json()]).toEqual([201, first]);
    expect(await (await fetch(url)).text()).toBe('b');
  });

  it('ask those who are left of a partition that lost some of its replicas since', async () => {
    const headers = { 'Idempotency-Key': `k-${unique}` };
    const { shards } = gateway;
    await put(url, 'a', headers);
    const asked = (): number => shards.framesSent.reduce((sum, { requests }) => sum + requests.length, 0);
    const before = asked();
    await put(url, 'a', headers);
    expect(asked()).toBe(before);
    for (const [partition, entry] of shards.entries.entries())
      shards.entries[partition] = { ...entry, recovery: { times: 1, epoch: 1, kept: [1], lost: [2] } };
    await put(url, 'a', headers);
    expect(asked()).toBe(before + 1);
  });

  it('are told apart by action, by key, and within a batch by their order', async () => {
    const headers = { 'Idempotency-Key': `k-${unique}` };
    await put(url, 'a', headers);
    expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(204);
    expect((await put(`${url}-other`, 'a', headers)).status).toBe(201);
    const key = `batch-${unique}`;
    const operations = ['1', '2', '3'].map((value) => ({ op: 'put', key, value }));
    const first = await batch(operations, headers);
    expect(first.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(await batch(operations, headers)).toEqual(first);
  });
});

describe('consistency', () => {
  it('stale reads are served by all replicas and say how old they may be', async () => {
    await put(url, 'a');
    const servers = new Set<string | null>();
    for (let i = 0; i < 9; i++) {
      const read = await fetch(`${url}?consistency=stale&maxStalenessMs=1000`);
      expect(Number(read.headers.get('ringleader-staleness-ms'))).toBeLessThanOrEqual(1);
      servers.add(read.headers.get('ringleader-served-by'));
    }
    expect(servers.size).toBe(3);
  });

  it('a stale answer says how old it is, whatever it is', async () => {
    const read = await fetch(`${url}?consistency=stale`);
    expect([read.status, read.headers.has('ringleader-staleness-ms')]).toEqual([404, true]);
    const answer = await fetch(`${gateway.url}/v1/kv:batch?consistency=stale`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ operations: [{ op: 'get', key: 'none' }] }),
    });
    expect(answer.headers.get('ringleader-staleness-ms')).toMatch(/^[01]$/);
    expect(answer.headers.get('ringleader-served-by')).toMatch(/^shard-[123]$/);
  });
});

describe.each(BATCH_FORMS)('a batch in %s', (given) => {
  beforeAll(() => {
    form = given;
  });
  afterAll(() => {
    form = 'application/json';
  });

  it('answers each operation by itself, in order', async () => {
    const key = `b-${unique}`;
    const results = await batch([
      { op: 'get', key },
      { op: 'put', key, value: 'text', contentType: 'text/plain' },
      { op: 'put', key, value: 'again', ifAbsent: true },
      { op: 'put', key, valueBase64: '/w==', ifVersion: 1, ifPresent: true },
      { op: 'get', key },
      { op: 'delete', key, ifVersion: 9 },
      { op: 'delete', key, ifVersion: 2 },
      { op: 'delete', key },
      { op: 'get', key },
    ]);
    expect(results.map(({ status }) => status)).toEqual([404, 201, 412, 200, 200, 412, 204, 404, 404]);
    expect(results[2]).toMatchObject({ code: 'PRECONDITION_FAILED', version: 1 });
    expect(results[4]).toMatchObject({
      version: 2,
      valueBase64: '/w==',
      contentType: 'application/octet-stream',
    });
    expect(results[4]).not.toHaveProperty('value');
  });

  it('refuses what is wrong with one operation by itself', async () => {
    const key = `b-${unique}`;
    const results = await batch([
      { op: 'put', key: '', value: 'v' },
      { op: 'put', key: 'x'.repeat(1_025), value: 'v' },
      { op: 'put', key },
      { op: 'put', key, value: 'v'.repeat(1_048_577) },
      { op: 'put', key, value: 'v', contentType: 'a\nb' },
      { op: 'put', key, value: 'v' },
    ]);
    expect(results.map(({ code }) => code ?? 'none')).toEqual([
      ...['INVALID_ARGUMENT', 'KEY_TOO_LONG', 'INVALID_ARGUMENT', 'VALUE_TOO_LARGE', 'INVALID_ARGUMENT'],
      'none',
    ]);
    for (const { code, detail } of results)
      expect(typeof detail).toBe(code === undefined ? 'undefined' : 'string');
  });

  it('gives back text as it was stored, byte order mark and all', async () => {
    const key = `b-${unique}`;
    const [, got] = await batch([
      { op: 'put', key, value: '\ufeffbom\0' },
      { op: 'get', key },
    ]);
    expect(got?.value).toBe('\ufeffbom\0');
  });

  it('takes 1,000 operations on as many keys', async () => {
    const operations = Array.from({ length: 1_000 }, (_, i) => ({
      op: 'put',
      key: `many-${unique}/${i}`,
      value: String(i),
    }));
    expect(new Set((await batch(operations)).map(({ status }) => status))).toEqual(new Set([201]));
    const reads = await batch(operations.map(({ key }) => ({ op: 'get', key })));
    expect(reads.map(({ value }) => value)).toEqual(operations.map(({ value }) => value));
  });

  it('does not gather more than fits', async () => {
    const keys = Array.from({ length: 12 }, (_, i) => `wide-${unique}/${i}`);
    for (const key of keys) await put(`${gateway.url}/v1/kv/${key}`, new Uint8Array(1_048_576).fill(97));
    const results = await batch([...keys, ...keys, ...keys, ...keys].map((key) => ({ op: 'get', key })));
    expect(results[0]?.status).toBe(200);
    expect(results.at(-1)).toMatchObject({ status: 413, code: 'REQUEST_TOO_LARGE' });
  }, 60_000);
});

it('a batch in JSON refuses by itself what only JSON can say', async () => {
  const key = `b-${unique}`;
  const results = await batch([
    { op: 'get', key: '\ud800' },
    { op: 'put', key, value: 'v', valueBase64: 'dg==' },
    { op: 'put', key, valueBase64: 'not base64' },
    { op: 'put', key, value: '\udc00' },
  ]);
  expect(results.map(({ code }) => code)).toEqual(Array(4).fill('INVALID_ARGUMENT'));
});
