/** A whole gateway over real NATS and the real codec, with shards in memory and a coordinator's twin. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '@ringleader/config';
import { CLUSTER_KEY, memberKey, partitionKey, shardKey } from '@ringleader/contracts';
import type { ClusterView } from '@ringleader/contracts';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { UNLOGGED, connectNats } from '@ringleader/nats';
import type { NatsConnection } from '@ringleader/nats';
import { createLogger } from '@ringleader/observability';
import { startNatsServer, until } from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';
import { startService } from '@ringleader/service-host';
import type { RunningService } from '@ringleader/service-host';
import { gateway as definition } from '../src/gateway.js';
import { InMemoryShards } from './support/in-memory-shards.js';
import { ShardsOverNats } from './support/shards-over-nats.js';

const CLUSTER = 'medium';
const WITHIN = { timeoutMs: 15_000 };

let dir: string;
let nats: TestServer;
let connection: NatsConnection;
let coordinator: FakeCoordinator;
let shards: InMemoryShards;
let served: ShardsOverNats;
let gateway: RunningService;
let url: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-gateway-'));
  nats = await startNatsServer({ dir });
}, 60_000);
afterAll(async () => {
  await nats.stop();
  await rm(dir, { recursive: true, force: true });
}, 30_000);

function storeMetadata(): void {
  const shardOf = (ordinal: number): object => ({
    shardId: `shard-${ordinal}`,
    ordinal,
    zone: '',
    weight: 1,
    incarnation: 1,
    systemIdentifier: 's',
    timeline: 1,
    walPosition: '0/0',
  });
  const cluster = {
    clusterId: 'c-1',
    name: CLUSTER,
    partitionCount: 16,
    replicationFactor: 3,
    initialShards: 3,
    createdAt: '2026-11-23T00:00:00.000Z',
  };
  coordinator.put(
    [CLUSTER_KEY, JSON.stringify(cluster)],
    ...shards.shards.map(
      (ordinal) => [shardKey(`shard-${ordinal}`), JSON.stringify(shardOf(ordinal))] as const,
    ),
    ...shards.entries.map((entry) => [partitionKey(entry.partition), JSON.stringify(entry)] as const),
  );
}

beforeEach(async () => {
  coordinator = new FakeCoordinator();
  shards = new InMemoryShards(16, [1, 2, 3]);
  storeMetadata();
  connection = (await connectNats({ servers: [nats.url], name: 'shards' }, UNLOGGED)).connection;
  served = new ShardsOverNats(connection, CLUSTER, shards);
  const config = loadConfig(definition.schema, {
    RINGLEADER_CLUSTER: CLUSTER,
    RINGLEADER_MEMBER: 'gateway-1',
    RINGLEADER_NATS_URL: nats.url,
    RINGLEADER_HTTP_PORT: '0',
    RINGLEADER_PROBE_PORT: '0',
  });
  const logger = createLogger({ level: 'fatal', service: 'gateway', member: 'gateway-1' });
  gateway = await startService({ ...definition, coordination: coordinator }, config, logger);
  const application = (await gateway.application) as NestFastifyApplication;
  url = `http://127.0.0.1:${(application.getHttpServer().address() as AddressInfo).port}`;
  await until('the gateway is ready', async () => (await fetch(`${url}/readyz`)).ok, WITHIN);
});
afterEach(async () => {
  await gateway.stop();
  await connection.close();
});

const put = (key: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(`${url}/v1/kv/${key}`, { method: 'PUT', body });

describe('a gateway', () => {
  it('stores, reads, lists and deletes over NATS', async () => {
    const large = new Uint8Array(1_048_576).fill(200);
    expect((await put('a', 'text')).status).toBe(201);
    expect((await put('b', large)).status).toBe(201);
    const read = await (await fetch(`${url}/v1/kv/b`)).arrayBuffer();
    expect(Buffer.from(read).equals(large)).toBe(true);
    const { items } = (await (await fetch(`${url}/v1/kv?keysOnly=true`)).json()) as {
      items: { key: string }[];
    };
    expect(items.map(({ key }) => key)).toEqual(['a', 'b']);
    expect((await fetch(`${url}/v1/kv/a`, { method: 'DELETE' })).status).toBe(204);
  });

  it('takes a tag that no revision can have for one that does not match', async () => {
    await put('a', 'text');
    for (const method of ['PUT', 'DELETE']) {
      const headers = { 'If-Match': '"9999999999999999"' };
      expect((await fetch(`${url}/v1/kv/a`, { method, headers })).status).toBe(412);
    }
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe('text');
  });

  it('splits what does not fit into one frame', async () => {
    const operations = Array.from({ length: 6 }, (_, i) => ({
      op: 'put',
      key: `k${i}`,
      value: 'v'.repeat(1_048_576),
    }));
    const answer = await fetch(`${url}/v1/kv:batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ operations }),
    });
    const { results } = (await answer.json()) as { results: { status: number }[] };
    expect(results.map(({ status }) => status)).toEqual(Array(6).fill(201));
  });

  it('registers, and reports the cluster', async () => {
    await until('it is registered', () => coordinator.items.has(memberKey('gateway', 'gateway-1')), WITHIN);
    await until(
      'the report is complete',
      async () => {
        const view = (await (await fetch(`${url}/v1/cluster`)).json()) as ClusterView;
        return (
          view.partitionMap.withoutLeader === 0 && view.members.length === 1 && view.members[0]?.load !== null
        );
      },
      WITHIN,
    );
    const view = (await (await fetch(`${url}/v1/cluster`)).json()) as ClusterView;
    expect(view).toMatchObject({ id: 'c-1', name: CLUSTER, health: 'degraded' });
    expect(view.partitionMap).toMatchObject({ partitions: 16, epoch: 1, replicationFactor: 3 });
  });

  it('outlives NATS, and says so meanwhile', async () => {
    await put('a', 'before');
    await nats.kill9();
    await until('it notices', async () => (await fetch(`${url}/readyz`)).status === 503, WITHIN);
    const refused = await fetch(`${url}/v1/kv/a`, {
      method: 'PUT',
      body: 'x',
      headers: { 'Ringleader-Timeout-Ms': '200' },
    });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'UNAVAILABLE']);
    await nats.restart();
    await until('it serves again', async () => (await put('a', 'after')).ok, WITHIN);
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe('after');
  }, 40_000);

  it('answers what is under way before it stops, and says that no more is taken on that connection', async () => {
    const half = request(`${url}/v1/kv/half`, { method: 'PUT', headers: { 'Content-Length': 10 } });
    const answered = new Promise<unknown>((resolve, reject) => {
      half.on('response', (response) => {
        resolve([response.resume().statusCode, response.headers.connection]);
      });
      half.on('error', reject);
    });
    half.write('12345');
    await oneIsUnderWay();
    const stopped = gateway.stop();
    await until('nothing new is accepted', async () => !(await isListening()), WITHIN);
    half.end('67890');
    expect(await answered).toEqual([201, 'close']);
    await stopped;
  });

  it('ends streams of events with the word to come back, and does not wait for them', async () => {
    const events = await fetch(`${url}/v1/cluster/events`);
    const startedAt = performance.now();
    const [text] = await Promise.all([events.text(), gateway.stop()]);
    expect(text).toMatch(
      /^retry: 1000\n\nevent: cluster\n[^]*event: RECONNECT\nid: [^\n]+\ndata: [^\n]+\n\n$/,
    );
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  }, 20_000);

  it('gives what is under way the time that its client gave it', async () => {
    served.isSilent = true;
    const startedAt = performance.now();
    const headers = { 'Ringleader-Timeout-Ms': '4500' };
    const answer = fetch(`${url}/v1/kv/slow`, { method: 'PUT', body: 'x', headers });
    await oneIsUnderWay();
    const stopped = gateway.stop();
    expect((await fetch(`http://${gateway.address}/readyz`)).status).toBe(503);
    expect((await answer).status).toBe(504);
    expect(performance.now() - startedAt).toBeGreaterThan(4_400);
    await stopped;
    expect(coordinator.items.has(memberKey('gateway', 'gateway-1'))).toBe(false);
  }, 20_000);
});

function oneIsUnderWay(): Promise<void> {
  const metrics = async (): Promise<string> => (await fetch(`http://${gateway.address}/metrics`)).text();
  const isOne = async (): Promise<boolean> => /http_requests_in_flight\{[^}]*\} 1/.test(await metrics());
  return until('the request is under way', isOne, WITHIN);
}

async function isListening(): Promise<boolean> {
  try {
    await (await fetch(`${url}/healthz`)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
