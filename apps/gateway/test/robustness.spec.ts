/** Whatever comes over the wire, the gateway answers honestly or cuts the connection, stays up and keeps nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf, sendRaw } from './support/http-client.js';
import { malformedRequests } from './support/malformed-requests.js';

const SEED = Number(process.env['SEED'] ?? 20_261_123);
const IN_PARALLEL = 20;
const EXPECTED_STATUSES = new Set([100, 200, 201, 204, 400, 404, 405, 408, 412, 413, 415, 417, 421, 431]);

let gateway: GatewayHarness;
beforeAll(async () => {
  gateway = await startGateway({
    timings: { requestTimeoutMs: 800, headersTimeoutMs: 800, checkIntervalMs: 100 },
  });
});
afterAll(() => gateway.close());

/** Resolves once nothing is under way; a test that leaks runs into its time limit. */
async function untilIdle(): Promise<void> {
  while (gateway.admission.inFlight > 0 || gateway.path.router.inFlight > 0) await pause(10);
}

async function isHealthy(): Promise<boolean> {
  const key = `${gateway.url}/v1/kv/health`;
  const stored = await fetch(key, { method: 'PUT', body: 'good' });
  return stored.ok && (await (await fetch(key)).text()) === 'good';
}

describe('malformed requests', () => {
  it(`answers 1,000 of them (SEED=${SEED}) and forgets them`, async () => {
    const requests = malformedRequests(SEED, 1_000);
    const wrong: string[] = [];
    const worker = async (): Promise<void> => {
      for (const request of requests) {
        const { status, text } = await sendRaw(gateway.port, request);
        if (status !== null && !EXPECTED_STATUSES.has(status)) wrong.push(text.slice(0, 500));
      }
    };
    await Promise.all(Array.from({ length: IN_PARALLEL }, worker));
    expect(wrong).toEqual([]);
    expect(gateway.log).toEqual([]);
    await untilIdle();
    expect(await isHealthy()).toBe(true);
  }, 120_000);

  it('keeps its memory flat', async () => {
    const round = async (seed: number): Promise<number> => {
      await Promise.all([...malformedRequests(seed, 200)].map((request) => sendRaw(gateway.port, request)));
      await untilIdle();
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    await round(1);
    const before = await round(2);
    const after = [await round(3), await round(4), await round(5)];
    expect(Math.min(...after) - before).toBeLessThan(16 * 1_048_576);
  }, 120_000);
});

describe('odd connections', () => {
  it('answers a client that half-closes after its request', async () => {
    const { status, text } = await sendRaw(gateway.port, {
      chunks: ['PUT /v1/kv/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nvalue'],
      end: true,
    });
    expect(status).toBe(201);
    expect(text).toContain('"key":"half"');
  });

  it('gives up a request whose client half-closes in its midst', async () => {
    const { status } = await sendRaw(gateway.port, {
      chunks: ['PUT /v1/kv/gone HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nonly this'],
      end: true,
    });
    expect([null, 400, 408]).toContain(status);
    await untilIdle();
    expect((await fetch(`${gateway.url}/v1/kv/gone`)).status).toBe(404);
  });

  it('drops a request whose client is gone', async () => {
    await sendRaw(gateway.port, {
      chunks: ['PUT /v1/kv/gone HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nonly this'],
      destroy: true,
    });
    await untilIdle();
    expect((await fetch(`${gateway.url}/v1/kv/gone`)).status).toBe(404);
  });

  it('ends bodies that trickle in for too long, and holds nobody else up', async () => {
    const trickle = sendRaw(gateway.port, {
      chunks: [
        'PUT /v1/kv/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n',
        'a',
        'b',
        'c',
      ],
    });
    expect(await isHealthy()).toBe(true);
    expect((await trickle).status).toBe(408);
    await untilIdle();
  });

  it('answers pipelined requests in their order', async () => {
    const get = (key: string): string => `GET /v1/kv/${key} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    await isHealthy();
    const { text } = await sendRaw(gateway.port, {
      chunks: [get('health') + get('absent') + get('health')],
      end: true,
    });
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '404',
      '200',
    ]);
  });

  it('refuses a body that is too large before it has all of it, when it does not end', async () => {
    const patient = await startGateway();
    const megabyte = new Uint8Array(1_048_576);
    const { status } = await sendRaw(patient.port, {
      chunks: [
        'PUT /v1/kv/huge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n',
        ...Array.from({ length: 20 }, () => megabyte),
      ],
      waitMs: 20_000,
    });
    await patient.close();
    expect(status).toBe(413);
  }, 30_000);

  it('that have begun a request, and do not go on, keep no gateway from stopping', async () => {
    const stopping = await startGateway({ drains: true });
    // The next one was accepted behind it, and both said something before.
    const half = sendRaw(stopping.port, { chunks: ['GET /v1/kv/a HTTP/1.1\r\nHo'], waitMs: 30_000 });
    const whole = 'GET /v1/kv/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    expect((await sendRaw(stopping.port, { chunks: [whole] })).status).toBe(404);
    const startedAt = performance.now();
    await stopping.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect((await half).text).toBe('');
  }, 30_000);
});

describe('large bodies', () => {
  const LARGE = 'x'.repeat(500_000);
  let busy: GatewayHarness;
  beforeEach(async () => {
    busy = await startGateway({ largeBodiesBytesMax: 1_000_000 });
  });
  afterEach(() => busy.close());

  const put = (key: string, body: string, timeoutMs = 20_000): Promise<Response> =>
    fetch(`${busy.url}/v1/kv/${key}`, {
      method: 'PUT',
      body,
      headers: { 'Ringleader-Timeout-Ms': String(timeoutMs) },
    });

  /** Two whose answers do not come until `shards.intercept` is taken away again. */
  async function twoUnderWay(): Promise<Promise<Response>[]> {
    busy.shards.intercept = (request) =>
      request.kind === 'write' && request.operation.kind === 'put' && request.operation.value.length > 1_000
        ? 'lose'
        : null;
    const held = [put('held/1', LARGE), put('held/2', LARGE)];
    while (busy.admission.inFlight < 2) await pause(5);
    return held;
  }

  it('take turns, which small ones need not wait for, and begin in their order', async () => {
    const held = await twoUnderWay();
    const waiting = [put('next/1', LARGE), put('next/2', LARGE)];
    while (busy.largeBodies.waitingCount < 2) await pause(5);
    expect((await put('small', 'value')).status).toBe(201);
    expect(busy.largeBodies.waitingCount).toBe(2);
    busy.shards.intercept = () => null;
    const statuses = (await Promise.all([...held, ...waiting])).map(({ status }) => status);
    expect(statuses).toEqual([201, 201, 201, 201]);
  }, 20_000);

  it('are refused when their time is over before their turn comes, and nothing was done', async () => {
    const held = await twoUnderWay();
    const late = await put('late', LARGE, 200);
    expect([late.status, (await problemOf(late)).code]).toEqual([503, 'OVERLOADED']);
    busy.shards.intercept = () => null;
    await Promise.all(held);
    expect((await fetch(`${busy.url}/v1/kv/late`)).status).toBe(404);
    expect((await put('late', LARGE)).status).toBe(201);
  }, 20_000);

  it("of clients that went away while they waited take nobody else's turn", async () => {
    const held = await twoUnderWay();
    const gone = new AbortController();
    const aborted = fetch(`${busy.url}/v1/kv/gone`, { method: 'PUT', body: LARGE, signal: gone.signal });
    while (busy.largeBodies.waitingCount < 1) await pause(5);
    gone.abort();
    await expect(aborted).rejects.toThrow('aborted');
    busy.shards.intercept = () => null;
    const all = await Promise.all([...held, put('next/1', LARGE), put('next/2', LARGE)]);
    expect(all.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  }, 20_000);
});
