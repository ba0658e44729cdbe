/** Three shards with a real coordinator: one whose database is lost comes back as a new one, and rows are put right on demand. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import {
  INCIDENTS_PREFIX,
  incidentSchema,
  PARTITIONS_PREFIX,
  partitionEntrySchema,
  prefixRange,
  shardKey,
  shardSchema,
} from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import { connectNats, type NatsLink, UNLOGGED } from '@ringleader/nats';
import { createLogger, systemClock } from '@ringleader/observability';
import { HotConnection } from '@ringleader/postgres';
import { startService, type RunningService } from '@ringleader/service-host';
import {
  startChild,
  startNatsServer,
  startPostgres,
  until,
  workspaceRoot,
  type Child,
  type TestServer,
} from '@ringleader/testing-servers';
import { shard } from '../src/shard.js';
import { CLUSTER, TestGateway } from './shell.fixtures.js';

const PARTITIONS = 16;
const WAIT = { timeoutMs: 60_000, everyMs: 50 };
const ORDINALS = [1, 2, 3] as const;

let dir: string;
let nats: TestServer;
let postgres: TestServer;
let coordinator: Child;
let link: NatsLink;
let client: CoordinationClient;
let gateway: TestGateway;
const shards = new Map<number, RunningService>();

const databaseOf = (ordinal: number): string =>
  Object.assign(new URL(postgres.url), { pathname: `/shard_${ordinal}` }).href;

async function inDatabase(url: string, ...statements: readonly string[]): Promise<void> {
  const session = await HotConnection.open({
    ...{ url, applicationName: 'test', connectTimeoutMs: 5_000, stallMs: 60_000 },
    onLost: () => undefined,
  });
  for (const statement of statements) await session.runOnce(statement);
  await session.close();
}

async function start(ordinal: number): Promise<void> {
  const member = `shard-${ordinal}`;
  const config = loadConfig(shard.schema, {
    RINGLEADER_NATS_URL: nats.url,
    RINGLEADER_CLUSTER: CLUSTER,
    RINGLEADER_MEMBER: member,
    RINGLEADER_PROBE_PORT: '0',
    RINGLEADER_POSTGRES_URL: databaseOf(ordinal),
  });
  const logger = createLogger({ level: 'silent', service: 'shard', member });
  const service = await startService(shard, config, logger);
  await service.application;
  shards.set(ordinal, service);
}

async function stop(ordinal: number): Promise<void> {
  await shards.get(ordinal)?.stop();
  shards.delete(ordinal);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-returning-'));
  [nats, postgres] = await Promise.all([
    startNatsServer({ dir: join(dir, 'nats') }),
    startPostgres({ dir: join(dir, 'postgres') }),
  ]);
  await inDatabase(postgres.url, ...ORDINALS.map((ordinal) => `CREATE DATABASE shard_${ordinal}`));
  coordinator = await startChild({
    ...{ name: 'coordinator', command: process.execPath, orphaned: 'lifeline' },
    args: [join(workspaceRoot(), 'apps/coordinator/dist/main.js')],
    env: {
      ...{ ...process.env, NODE_OPTIONS: '' },
      RINGLEADER_NATS_URL: nats.url,
      RINGLEADER_CLUSTER: CLUSTER,
      RINGLEADER_MEMBER: 'coordinator-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_COORDINATOR_COUNT: '1',
      RINGLEADER_BOOTSTRAP: 'new-cluster',
      RINGLEADER_PARTITION_COUNT: String(PARTITIONS),
      RINGLEADER_DATA_DIR: join(dir, 'coordinator-1'),
    },
    logFile: join(dir, 'coordinator.log'),
  });
  link = await connectNats({ servers: [nats.url], name: 'gateway-2' }, UNLOGGED);
  const speaker = { service: 'gateway', member: 'gateway-2' } as const;
  client = new CoordinationClient({ link, cluster: CLUSTER, speaker, clock: systemClock, members: [1] });
  await until('a leader of the coordinators', async () => ((await client.status(1))?.leader ?? 0) > 0, WAIT);
  for (const ordinal of ORDINALS) {
    await start(ordinal);
    await until(
      `${ordinal} is registered`,
      async () => (await client.range({ key: shardKey(`shard-${ordinal}`) })).items.length > 0,
      WAIT,
    );
  }
  gateway = await TestGateway.connect(nats.url);
  await gateway.allLed(PARTITIONS);
}, 120_000);

afterAll(async () => {
  await gateway.close();
  await Promise.all([...shards.values()].map((service) => service.stop()));
  await client.close();
  await link.close();
  await coordinator.stop('SIGTERM', 10_000);
  await Promise.all([nats.stop(), postgres.stop()]);
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const incidents = async () => {
  const { items } = await client.range(prefixRange(INCIDENTS_PREFIX));
  return items.map(({ value }) => incidentSchema.parse(JSON.parse(value)));
};

async function comesBack(shardId: string, ordinal: number, replicas: readonly number[]): Promise<void> {
  const registered = async () => {
    const { items } = await client.range({ key: shardKey(shardId) });
    return shardSchema.parse(JSON.parse(items[0]!.value));
  };
  await until('a new ordinal', async () => (await registered()).ordinal === ordinal, WAIT);
  const entries = async () => {
    const { items } = await client.range(prefixRange(PARTITIONS_PREFIX));
    return items.map(({ value }) => partitionEntrySchema.parse(JSON.parse(value)));
  };
  const isMoved = (held: readonly number[]): boolean => [...held].sort().join() === replicas.join();
  await until(
    'the replicas are moved',
    async () => (await entries()).every((entry) => entry.nextReplicas === null && isMoved(entry.replicas)),
    WAIT,
  );
}

const keys = Array.from({ length: PARTITIONS }, (_, partition) => `key-${partition}`);

describe('a cluster of three shards', () => {
  it('finds on demand what a hand has changed, mends it, and tells of it', async () => {
    for (const [partition, key] of keys.entries()) await gateway.put(partition, key, `value of ${key}`);
    const wrong = [2, 3].find((ordinal) => ordinal !== gateway.leaderOf(4))!;
    await inDatabase(databaseOf(wrong), "UPDATE rows SET value = set_byte(value, 0, 33) WHERE key = 'key-4'");
    const { id } = await client.ask('startVerification', {});
    const present = async () => (await client.ask('verification', {})).verification;
    await until('the end', async () => (await present())?.endedAt !== null, WAIT);
    expect(await present()).toMatchObject({
      ...{ id, partitionsTotal: PARTITIONS, partitionsDone: PARTITIONS, incomplete: 0 },
      ...{ rows: PARTITIONS, differed: 1, mended: 1 },
    });
    await until('the incident', async () => (await incidents()).length > 0, WAIT);
    expect(await incidents()).toMatchObject([
      {
        ...{ kind: 'REPLICA_DIFFERED', shard: `shard-${wrong}`, ordinal: wrong, partition: 4 },
        ...{ keys: ['key-4'], mended: true },
      },
    ]);
  }, 90_000);

  it('takes a shard back as a new one whose database is lost, and nothing else with it', async () => {
    await stop(1);
    await inDatabase(postgres.url, 'DROP DATABASE shard_1', 'CREATE DATABASE shard_1');
    await start(1);
    await comesBack('shard-1', 4, [2, 3, 4]);
    const values = await Promise.all(keys.map((key, partition) => gateway.get(partition, key)));
    expect(values.map((row) => Buffer.from(row!.value!).toString())).toEqual(
      keys.map((key) => `value of ${key}`),
    );
    expect(await incidents()).toMatchObject([{}, { kind: 'DATABASE_FORGOT', shard: 'shard-1', ordinal: 1 }]);
  }, 120_000);

  it('takes a shard back as a new one of whose tables one is gone', async () => {
    await stop(2);
    await inDatabase(databaseOf(2), 'DROP TABLE rows');
    await start(2);
    await comesBack('shard-2', 5, [3, 4, 5]);
    expect(await incidents()).toMatchObject([
      {},
      {},
      { kind: 'PAGE_UNREADABLE', shard: 'shard-2', ordinal: 2, detail: expect.stringContaining('"rows"') },
    ]);
  }, 120_000);
});
