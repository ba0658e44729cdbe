/** A whole shard, alone in its cluster, with a real database and NATS: what ends a life, what begins the next one. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SHARD_ORDINALS_KEY, memberKey, partitionKey, shardKey, shardPlaceKey } from '@ringleader/contracts';
import { UNLOGGED, connectNatsLinks, type NatsLinks } from '@ringleader/nats';
import { Registry, createLogger, systemClock } from '@ringleader/observability';
import { HotConnection, type TextRow } from '@ringleader/postgres';
import { startNatsServer, startPostgres, type TestServer, until } from '@ringleader/testing-servers';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { FatalErrors, Health, type HostSigns, HeapPressure } from '@ringleader/service-host';
import { NatsDataPath } from '../src/partitions/data-path.nats.js';
import { ShardActivity } from '../src/partitions/shard-activity.js';
import { ShardClock } from '../src/partitions/shard-clock.js';
import { DatabasePreparation } from '../src/storage/database-preparation.js';
import { ShardService } from '../src/partitions/shard.service.js';
import { shardConfigSchema } from '../src/shard.config.js';
import { CLUSTER, fixedMap, TestGateway } from './shell.fixtures.js';

const PARTITIONS = 16;
const WITHIN = { timeoutMs: 20_000 };

let dir: string;
let postgres: TestServer;
let nats: TestServer;
let database = 0;
let url: string;
let coordinator: FakeCoordinator;
let links: NatsLinks;
let gateway: TestGateway;
const running: ShardService[] = [];
const signsOf = new WeakMap<ShardService, HostSigns>();
const failureOf = (service: ShardService): Promise<never> | undefined => signsOf.get(service)?.fatal.first;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-shard-'));
  [postgres, nats] = await Promise.all([
    startPostgres({ dir: join(dir, 'postgres') }),
    startNatsServer({ dir: join(dir, 'nats') }),
  ]);
}, 60_000);

afterAll(async () => {
  await Promise.all([postgres.stop(), nats.stop()]);
  await rm(dir, { recursive: true, force: true });
}, 30_000);

/** A database and a cluster of its own for each test. */
beforeEach(async () => {
  const name = `shard_${++database}`;
  await inDatabase(postgres.url, `CREATE DATABASE ${name}`);
  url = Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href;
  coordinator = new FakeCoordinator();
  mapOf([1]);
  links = await connectNatsLinks({ servers: [nats.url], name: 'shard-1' }, UNLOGGED);
  gateway = await TestGateway.connect(nats.url);
});

afterEach(async () => {
  await gateway.close();
  await Promise.all(running.splice(0).map((service) => service.beforeApplicationShutdown()));
  await links.close();
});

function mapOf(replicas: readonly number[]): void {
  const entries = fixedMap(PARTITIONS, replicas).map(
    (entry) => [partitionKey(entry.partition), JSON.stringify(entry)] as const,
  );
  coordinator.put(...entries);
}

function connectTo(target: string): Promise<HotConnection> {
  return HotConnection.open({
    url: target,
    applicationName: 'test',
    connectTimeoutMs: 5_000,
    stallMs: 60_000,
    onLost: () => undefined,
  });
}

async function inDatabase(target: string, ...statements: readonly string[]): Promise<void> {
  const session = await connectTo(target);
  for (const statement of statements) await session.runOnce(statement);
  await session.close();
}

async function rowsOf(target: string, text: string): Promise<readonly TextRow[]> {
  const session = await connectTo(target);
  try {
    return await session.run({ name: 'looked', text }, []);
  } finally {
    await session.close();
  }
}

/** What was set aside. */
async function schemas(): Promise<unknown[]> {
  const text = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'ringleader_') ORDER BY 1";
  return (await rowsOf(url, text)).map(([name]) => name);
}

/** A disk changes a page of the table: PostgreSQL finds it by its checksum. */
async function damage(relation: string): Promise<void> {
  await inDatabase(url, 'CHECKPOINT');
  const [[path] = []] = await rowsOf(url, `SELECT pg_relation_filepath((${relation}))`);
  await postgres.stop();
  const file = join(dir, 'postgres', 'data', path!);
  const bytes = await readFile(file);
  bytes[bytes.length - 100]! ^= 0xff;
  await writeFile(file, bytes);
  await postgres.restart();
}

function start(settings: Readonly<Record<string, string>> = {}): ShardService {
  const config = shardConfigSchema.parse({
    RINGLEADER_MEMBER: 'shard-1',
    RINGLEADER_CLUSTER: CLUSTER,
    RINGLEADER_POSTGRES_URL: url,
    ...settings,
  });
  const logger = createLogger({ level: 'fatal', service: 'shard', member: 'shard-1' });
  const signs = { logger, health: new Health('not migrated'), fatal: new FatalErrors() };
  const service = new ShardService(
    {
      config,
      coordination: coordinator,
      signs,
      preparation: new DatabasePreparation(config, systemClock, signs),
      pressure: new HeapPressure(new Registry()),
      budget: { handOverMs: 20_000 },
      membership: { isRegistered: true, registered: Promise.resolve(), setSilent: () => undefined },
    },
    new NatsDataPath(links, CLUSTER, () => systemClock.monotonicMs()),
    new ShardClock(systemClock),
    new ShardActivity(new Registry()),
  );
  service.onApplicationBootstrap();
  signsOf.set(service, signs);
  running.push(service);
  return service;
}

const leadsAll = (service: ShardService): Promise<void> =>
  until('all partitions are led', () => service.partitionsLed === PARTITIONS, WITHIN);

const registered = (): { incarnation: number } =>
  JSON.parse(coordinator.items.get(shardKey('shard-1'))!.value) as { incarnation: number };

describe('a shard', () => {
  it('registers, leads what the map gives it, and serves', async () => {
    const service = start();
    expect(await service.ordinal).toBe(1);
    await leadsAll(service);
    await until('readiness', () => service.notReadyReasons().length === 0, WITHIN);
    expect(signsOf.get(service)?.health.startup()).toEqual([]);
    expect(registered()).toMatchObject({ ordinal: 1, incarnation: 1 });
    expect(await gateway.put(3, 'key', 'value')).toMatchObject({ kind: 'written', revision: 1 });
    expect(service.requests.total).toBeGreaterThan(0);
    await service.beforeApplicationShutdown();
    expect(service.notReadyReasons()).not.toEqual([]);
  }, 60_000);

  it('begins anew with a raised incarnation when its database was killed, and has lost nothing', async () => {
    const service = start();
    await leadsAll(service);
    await gateway.put(3, 'key', 'value');
    await postgres.kill9();
    await until('the life has ended', () => service.notReadyReasons().length > 0, WITHIN);
    await postgres.restart();
    await leadsAll(service);
    expect(registered()).toMatchObject({ ordinal: 1, incarnation: 2 });
    const row = await gateway.get(3, 'key');
    expect(Buffer.from(row!.value!).toString()).toBe('value');
    expect(service.activity.storageFailures).toBe(1);
  }, 60_000);

  it.each(['first', 'meanwhile'])('stops in time where its database goes %s', async (when) => {
    const service = start();
    await leadsAll(service);
    if (when === 'first') await postgres.kill9();
    running.splice(0);
    const stopped = service.beforeApplicationShutdown();
    if (when === 'meanwhile') await postgres.kill9();
    // Much less than it has for handing over: there is nobody.
    const tooLate = AbortSignal.timeout(10_000);
    await stopped;
    expect(tooLate.aborted).toBe(false);
    expect(service.notReadyReasons()).toEqual(['the shard has stopped']);
    await postgres.restart();
  });

  it('gives up its leaderships while the disk of its database is full, and goes on when there is room', async () => {
    const service = start();
    await leadsAll(service);
    await inDatabase(
      url,
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$`,
      'CREATE TRIGGER full_disk BEFORE INSERT ON record_log FOR EACH STATEMENT EXECUTE FUNCTION refuse()',
    );
    const refused = gateway.put(3, 'key', 'value');
    await until('the life has ended', () => service.activity.storageFailures > 0, WITHIN);
    await inDatabase(url, 'DROP TRIGGER full_disk ON record_log');
    expect(await refused).toMatchObject({ kind: 'written' });
    await leadsAll(service);
  }, 60_000);

  it('ends when another process of the same shard has taken its database over', async () => {
    const first = start();
    await leadsAll(first);
    const second = start();
    await expect(failureOf(first)).rejects.toMatchObject({ code: 'SHARD_SUPERSEDED' });
    await leadsAll(second);
    // 3 where the first one was back before the second one had taken the lock.
    expect(registered()).toMatchObject({ ordinal: 1 });
    expect([2, 3]).toContain(registered().incarnation);
  }, 60_000);

  it('refuses a database that is older than the registration where nobody else has the data, and one of another shard', async () => {
    const service = start();
    await leadsAll(service);
    await service.beforeApplicationShutdown();
    await inDatabase(url, 'UPDATE shard_identity SET incarnation = 0');
    await expect(failureOf(start())).rejects.toMatchObject({
      code: 'DATABASE_FORGOT',
      details: { partitionsTotal: PARTITIONS },
    });
    expect(coordinator.incidents).toMatchObject([
      { kind: 'DATABASE_FORGOT', shard: 'shard-1', ordinal: 1, mended: false },
    ]);
    expect(await schemas()).toEqual([]);
    await inDatabase(url, "UPDATE shard_identity SET incarnation = 5, shard_id = 'shard-9'");
    await expect(failureOf(start())).rejects.toMatchObject({ code: 'DATABASE_FORGOT' });
  }, 60_000);

  it('does not begin beside one that counts longer leases, says why, and begins when that is gone', async () => {
    const other = {
      ...{ service: 'shard', id: 'shard-2', address: '', version: '1.0.0', instance: 'i', ordinal: 2 },
      ...{ startedAt: '2026-01-01T00:00:00.000Z', state: 'serving', leaseMs: 6_000 },
    };
    const key = memberKey('shard', 'shard-2');
    coordinator.put([key, JSON.stringify(other)]);
    const service = start({ RINGLEADER_LEASE_MS: '600' });
    const reason = expect.stringContaining('RINGLEADER_LEASE_MS is 600 at shard-1 and 6000 at shard-2');
    await until(
      'the reason',
      () => service.notReadyReasons()[0]?.includes('RINGLEADER_LEASE_MS') === true,
      WITHIN,
    );
    expect(service.notReadyReasons()).toEqual([reason]);
    expect(coordinator.items.has(shardKey('shard-1'))).toBe(false);
    coordinator.remove(key);
    await leadsAll(service);
  }, 60_000);

  it('ends when it is removed, and stays so with its database', async () => {
    const service = start();
    await leadsAll(service);
    coordinator.remove(shardKey('shard-1'));
    await expect(failureOf(service)).rejects.toMatchObject({ code: 'SHARD_REMOVED' });
    await service.beforeApplicationShutdown();
    await expect(failureOf(start())).rejects.toMatchObject({ code: 'SHARD_REMOVED' });
  }, 60_000);

  it('does not serve from a database with a page that cannot be read, nor gives up what only it may have', async () => {
    const service = start();
    await leadsAll(service);
    await gateway.put(3, 'key', 'value'.repeat(1_000));
    await service.beforeApplicationShutdown();
    await damage("SELECT reltoastrelid FROM pg_class WHERE relname = 'rows'");
    const again = start();
    await leadsAll(again);
    void gateway.get(3, 'key').catch(() => undefined);
    await expect(failureOf(again)).rejects.toMatchObject({ code: 'DATABASE_DAMAGED' });
    expect(coordinator.incidents).toMatchObject([{ kind: 'PAGE_UNREADABLE', ordinal: 1 }]);
    expect(await schemas()).toEqual([]);
  }, 60_000);
});

describe('a shard of three', () => {
  /** The others are registered, and were never here. */
  beforeEach(async () => {
    const service = start();
    await leadsAll(service);
    await service.beforeApplicationShutdown();
    coordinator.put(
      ...[2, 3].map((ordinal) => {
        const { zone, weight } = { zone: '', weight: 1 };
        const facts = { incarnation: 1, systemIdentifier: '1', timeline: 1, walPosition: '0/1' };
        const shard = { shardId: `shard-${ordinal}`, ordinal, zone, weight, ...facts };
        return [shardKey(shard.shardId), JSON.stringify(shard)] as const;
      }),
      [SHARD_ORDINALS_KEY, '3'],
    );
    mapOf([1, 2, 3]);
  }, 30_000);

  it('comes back as a new one from an older copy of its database, unless it still runs', async () => {
    const name = `shard_${++database}`;
    const from = new URL(url).pathname.slice(1);
    await inDatabase(postgres.url, `CREATE DATABASE ${name} TEMPLATE ${from}`);
    const real = start();
    await real.ordinal;
    url = Object.assign(new URL(url), { pathname: `/${name}` }).href;
    await expect(failureOf(start())).rejects.toMatchObject({
      code: 'DATABASE_FORGOT',
      details: { verdict: 'superseded' },
    });
    expect(registered()).toMatchObject({ ordinal: 1, incarnation: 2 });
    expect(coordinator.incidents).toEqual([]);
    await real.beforeApplicationShutdown();

    const returned = start();
    expect(await returned.ordinal).toBe(4);
    expect(registered()).toMatchObject({ ordinal: 4, incarnation: 1 });
    expect(coordinator.incidents).toMatchObject([{ kind: 'DATABASE_FORGOT', ordinal: 1, mended: false }]);
    expect(await schemas()).toEqual(['ringleader_forgotten_1_1']);
    const kept = await rowsOf(url, 'SELECT ordinal FROM ringleader_forgotten_1_1.shard_identity');
    expect(kept).toEqual([['1']]);
    mapOf([4, 2, 3]);
    await until('what is set aside is deleted', async () => (await schemas()).length === 0, WITHIN);
  }, 60_000);

  it('comes back as a new one when it was replaced: what it holds is set aside, and the process begins anew', async () => {
    const service = start();
    await service.ordinal;
    const place = {
      ordinal: 1,
      shardId: 'shard-1',
      state: 'replaced',
      zone: '',
      weight: 1,
      weightIsSet: false,
    };
    coordinator.put([shardPlaceKey(1), JSON.stringify({ ...place, since: '2026-01-01T00:00:00.000Z' })]);
    await expect(failureOf(service)).rejects.toMatchObject({ details: { reason: 'comesBackAsNew' } });
    await service.beforeApplicationShutdown();
    expect(await start().ordinal).toBe(4);
    expect(await schemas()).toEqual(['ringleader_forgotten_1_1']);
    expect(coordinator.incidents).toEqual([]);
  }, 60_000);

  it('comes back as a new one when a page cannot be read', async () => {
    await damage("SELECT 'record_log'::regclass");
    expect(await start().ordinal).toBe(4);
    expect(await schemas()).toEqual(['ringleader_forgotten_1_1']);
    expect(coordinator.incidents).toMatchObject([{ kind: 'PAGE_UNREADABLE', ordinal: 1 }]);
  }, 60_000);
});
