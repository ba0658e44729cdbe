/** Past the web framework and through it: which requests go which way, and that nobody can tell by the answers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { answersIn, sendRaw } from './support/http-client.js';

/** Only the hot lane: the framework knows no resource at all. */
let laneOnly: GatewayHarness;
let open: GatewayHarness;
let closed: GatewayHarness;
beforeAll(async () => {
  [laneOnly, open, closed] = await Promise.all([
    startGateway({ resources: [] }),
    startGateway(),
    startGateway({ isLaneOpen: false }),
  ]);
});
afterAll(() => Promise.all([laneOnly, open, closed].map((gateway) => gateway.close())));

interface Request {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  readonly host?: string;
  readonly head?: readonly string[];
  readonly body?: string;
}

function text({
  method = 'GET',
  target = '/v1/kv/a',
  version = '1.1',
  host = 'localhost',
  head = [],
  body,
}: Request): string {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [
    `${method} ${target} HTTP/${version}`,
    `Host: ${host}`,
    'Connection: close',
    ...length,
    ...head,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

async function ask(gateway: GatewayHarness, request: Request): Promise<string> {
  return (await sendRaw(gateway.port, { chunks: [text(request)] })).text;
}

const PUT: Request = { method: 'PUT', body: 'one' };

const PLAIN: readonly (readonly [string, Request])[] = [
  ['a PUT', PUT],
  ['a GET', {}],
  ['a GET of no such key', { target: '/v1/kv/missing' }],
  ['a key with encoded characters', { ...PUT, target: '/v1/kv/%2Fa%C3%A4' }],
  ['the same key, read', { target: '/v1/kv/%2fa%c3%a4' }],
  ['a PUT of nothing', { method: 'PUT', body: '' }],
  ['a PUT of a type', { ...PUT, head: ['content-type: text/html; charset=utf-8'] }],
  ['a value that is not Latin-1', { method: 'PUT', body: 'ä€😀' }],
  [
    'headers of browsers',
    { head: ['User-Agent: x', 'accept: */*', 'Accept-Encoding: gzip', 'SEC-FETCH-MODE: cors'] },
  ],
];

const NOT_PLAIN: readonly (readonly [string, Request])[] = [
  ['DELETE', { method: 'DELETE' }],
  ['HEAD', { method: 'HEAD' }],
  ['POST', { method: 'POST', body: '' }],
  ['a query', { target: '/v1/kv/a?consistency=stale' }],
  ['an unknown parameter', { target: '/v1/kv/a?x=1' }],
  ['an absolute target', { target: 'http://localhost/v1/kv/a' }],
  ['an absolute target of another host', { target: 'http://example.com/v1/kv/a' }],
  ['HTTP/1.0', { version: '1.0' }],
  ['another host', { host: 'example.com' }],
  ['a host twice', { head: ['Host: localhost'] }],
  ['a malformed host', { host: 'a b' }],
  ['no key', { target: '/v1/kv/' }],
  ['a malformed key', { target: '/v1/kv/%zz' }],
  ['a key that is too long', { target: `/v1/kv/${'a'.repeat(1_025)}` }],
  ['a fragment', { target: '/v1/kv/a#b' }],
  ['a condition', { head: ['If-None-Match: "1"'] }],
  ['a condition of a write', { ...PUT, head: ['If-Match: "1"'] }],
  ['an idempotency key', { ...PUT, head: ['Idempotency-Key: one'] }],
  ['a deadline', { head: ['Ringleader-Timeout-Ms: 500'] }],
  ['a malformed deadline', { head: ['ringleader-timeout-ms: soon'] }],
  ['a part of a value', { ...PUT, head: ['Content-Range: bytes 0-1/2'] }],
  ['a content coding', { ...PUT, head: ['Content-Encoding: gzip'] }],
  ['an expectation', { ...PUT, head: ['Expect: 100-continue'] }],
  ['another expectation', { ...PUT, head: ['Expect: the unexpected'] }],
  ['a PUT without a length', { method: 'PUT' }],
  ['a GET with a body', { body: 'x' }],
  ['a type twice', { ...PUT, head: ['Content-Type: a/b', 'content-type: a/b'] }],
  ['a type that is too long', { ...PUT, head: [`Content-Type: ${'a'.repeat(2_000)}`] }],
  ['a large value', { method: 'PUT', body: 'x'.repeat(65_536), target: '/v1/kv/large' }],
  ['a value that is too large', { method: 'PUT', head: ['Content-Length: 16777217'] }],
  ['an upgrade', { head: ['Upgrade: h2c'] }],
  ['a header that is not known', { head: ['X-Odd: 1'] }],
];

describe('the hot lane', () => {
  it.each(PLAIN)('takes %s', async (_, request) => {
    expect(await ask(laneOnly, request)).not.toContain('ROUTE_NOT_FOUND');
  });

  it.each(NOT_PLAIN)('leaves %s to the framework', async (_, request) => {
    await ask(laneOnly, PUT);
    const answer = await ask(laneOnly, request);
    expect(answer).toMatch(/^HTTP\/1\.1 [45]/);
  });
});

describe('either way', () => {
  /** Times are of the moment, and so is what is at fault in the gateway. */
  const known = (answer: string): unknown =>
    answersIn(answer).map(({ status, headers, body }) => ({
      status,
      headers: [...headers].filter(([name]) => name !== 'date' && name !== 'last-modified'),
      body: body.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then'),
    }));

  it.each([...PLAIN, ...NOT_PLAIN])('is the answer to %s the same', async (_, request) => {
    const [past, through] = await Promise.all([open, closed].map((gateway) => ask(gateway, request)));
    expect(known(past!)).toEqual(known(through!));
    expect(past!).toMatch(/^HTTP\/1\.1 \d/);
  });

  it('is a body in chunks stored', async () => {
    const chunked = text({ method: 'PUT', head: ['Transfer-Encoding: chunked'], target: '/v1/kv/chunked' });
    for (const { port } of [open, closed]) {
      const { status } = await sendRaw(port, { chunks: [chunked, '3\r\none\r\n0\r\n\r\n'] });
      expect(status).toBe(201);
    }
  });

  it('a client that goes away in the middle of its value changes nothing, and leaves nothing behind', async () => {
    for (const { port } of [open, closed]) {
      await sendRaw(port, {
        chunks: [text({ ...PUT, target: '/v1/kv/cut', body: 'xxxx' }).slice(0, -2)],
        destroy: true,
      });
    }
    for (const gateway of [open, closed]) {
      expect(await ask(gateway, { target: '/v1/kv/cut' })).toMatch(/^HTTP\/1\.1 404/);
      expect(gateway.admission.inFlight).toBe(0);
    }
  });

  it('what goes wrong inside the gateway is an answer, and logged', async () => {
    for (const gateway of [open, closed]) {
      gateway.shards.intercept = ({ token }) => ({ kind: 'rows', token, rows: [], more: false, notLed: [] });
      for (const request of [PUT, {}])
        expect(await ask(gateway, request)).toMatch(/^HTTP\/1\.1 500[^]*INTERNAL/);
      gateway.shards.intercept = () => null;
      expect(gateway.log).toHaveLength(2);
    }
  });

  it('the time of each is measured', async () => {
    const counts = async ({ metrics }: GatewayHarness): Promise<string[]> =>
      (await metrics.metrics())
        .split('\n')
        .filter((line) => line.includes('_seconds_count'))
        .sort();
    expect(await counts(open)).toEqual(await counts(closed));
    expect((await counts(open)).length).toBeGreaterThan(5);
  });
});
