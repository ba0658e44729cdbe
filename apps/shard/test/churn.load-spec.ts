/**
 * What constant writing and deleting leaves of tables and indexes, and what purging costs. Not part of the tests: it takes some
 * minutes and a quiet machine, and its figures are in docs/MEASUREMENTS.md.
 *
 *   node --experimental-vm-modules node_modules/jest/bin/jest.js --testMatch '**\/churn.load-spec.ts' -t 'new keys'
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HotConnection } from '@ringleader/postgres';
import { seededPrng } from '@ringleader/primitives';
import { startPostgres, type TestServer, until } from '@ringleader/testing-servers';
import { cpuOf, LoneShard, type Operation } from './churn.fixtures.js';

const SECONDS = Number(process.env['CHURN_SECONDS'] ?? 60);
const SAMPLES = 12;
const SLICES = 8;
const LIVE_KEYS = 20_000;
const VALUE = Buffer.alloc(200, 'v');
const FAR_OFF_MS = String(24 * 3_600_000);

let dir: string;
let server: TestServer;
let admin: HotConnection;

const databaseOf = (name: string): string => {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
};

const connect = (url: string): Promise<HotConnection> =>
  HotConnection.open({
    ...{ url, applicationName: 'test', connectTimeoutMs: 5_000, stallMs: 120_000, onLost: () => undefined },
  });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-churn-'));
  server = await startPostgres({ dir });
  admin = await connect(server.url);
}, 60_000);

afterAll(async () => {
  await admin.close();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

const put = (key: string): Operation => ({
  ...{ kind: 'put', key, value: VALUE, contentType: 'text/plain', expiresAt: null, conditions: [] },
});
const remove = (key: string): Operation => ({ kind: 'delete', key, conditions: [] });

type Load = () => Operation;

/** Of one set of keys, each is put, deleted, and put again. */
function sameKeys(): Load {
  const prng = seededPrng(3);
  const live = new Set<number>();
  return () => {
    const key = prng.nextBelow(2 * LIVE_KEYS);
    if (live.delete(key)) return remove(`same/${key}`);
    live.add(key);
    return put(`same/${key}`);
  };
}

/** Keys that are never used twice, and live until there are enough; whichever is `next` goes. */
function newKeys(nameOf: (count: number) => string, next: (live: string[]) => number): Load {
  const live: string[] = [];
  let count = 0;
  return () => {
    if (live.length < LIVE_KEYS) {
      const key = nameOf(count);
      count += 1;
      live.push(key);
      return put(key);
    }
    const index = next(live);
    const [key] = live.splice(index, 1);
    return remove(key!);
  };
}

function randomKeys(): Load {
  const prng = seededPrng(5);
  const hex = (): string => prng.nextUint32().toString(16).padStart(8, '0');
  return newKeys(
    () => `${hex()}${hex()}`,
    (live) => prng.nextBelow(live.length),
  );
}

/** As a queue. */
const risingKeys = (): Load =>
  newKeys(
    (count) => `queue/${String(count).padStart(12, '0')}`,
    () => 0,
  );

const SIZES = {
  name: 'sizes',
  text: `SELECT pg_table_size('rows'), pg_indexes_size('rows'), pg_total_relation_size('record_log'),
      pg_total_relation_size('partition_records'), (SELECT count(*) FROM rows),
      (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'rows'),
      (SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = 'rows')`,
};

interface Sample {
  readonly operations: number;
  readonly table: number;
  readonly index: number;
  readonly log: number;
  readonly records: number;
  readonly rows: number;
  readonly dead: number;
  readonly vacuums: number;
}

async function sample(connection: HotConnection, operations: number): Promise<Sample> {
  const [found] = await connection.run(SIZES, []);
  const [table, index, log, records, rows, dead, vacuums] = found!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { operations, table, index, log, records, rows, dead, vacuums };
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);

function lineOf({ operations, table, index, log, records, rows, dead, vacuums }: Sample): string {
  const cells = [operations, rows, mib(table), mib(index), mib(log), mib(records), dead, vacuums];
  return `| ${cells.join(' | ')} |`;
}

async function churn(name: string, load: Load, underWay: number): Promise<readonly Sample[]> {
  await admin.runOnce(`CREATE DATABASE ${name}`);
  const shard = await LoneShard.start(databaseOf(name), { RINGLEADER_PURGE_REST_MS: '2000' });
  const connection = await connect(databaseOf(name));
  const samples: Sample[] = [];
  let operations = 0;
  for (let index = 0; index < SAMPLES; index += 1) {
    const end = performance.now() + (SECONDS * 1_000) / SAMPLES;
    operations += await shard.run(() => performance.now() >= end, load, underWay);
    samples.push(await sample(connection, operations));
  }
  await connection.close();
  await shard.stop();
  const head =
    '| operations | rows | table MiB | index MiB | record log MiB | records MiB | dead rows | vacuums |';
  process.stdout.write(`\n${name}\n${head}\n${samples.map(lineOf).join('\n')}\n`);
  return samples;
}

const mean = (samples: readonly Sample[], of: (sample: Sample) => number): number =>
  samples.reduce((sum, one) => sum + of(one), 0) / samples.length;

describe('constant writing and deleting', () => {
  it.each([
    ['same_keys', sameKeys, 128],
    ['new_keys_random', randomKeys, 128],
    ['new_keys_rising', risingKeys, 128],
    // Many entries in the record log.
    ['small_transactions', sameKeys, 4],
  ])(
    'leaves tables and indexes bounded: %s',
    async (name, load, underWay) => {
      const samples = await churn(name, load(), underWay);
      const [middle, end] = [samples.slice(SAMPLES / 3, (2 * SAMPLES) / 3), samples.slice((2 * SAMPLES) / 3)];
      for (const figure of [(one: Sample) => one.table, (one: Sample) => one.index, (one: Sample) => one.log])
        expect(mean(end, figure)).toBeLessThan(mean(middle, figure) * 1.3);
    },
    SECONDS * 2_000 + 30_000,
  );

  it('costs little more with purging than without', async () => {
    const restMs = { off: FAR_OFF_MS, on: '1000' } as const;
    const started = Object.entries(restMs).map(async ([kind, RINGLEADER_PURGE_REST_MS]) => {
      await admin.runOnce(`CREATE DATABASE cost_${kind}`);
      const shard = await LoneShard.start(databaseOf(`cost_${kind}`), { RINGLEADER_PURGE_REST_MS });
      return { kind, shard, load: randomKeys(), operations: 0, cpuMs: 0 };
    });
    const sides = await Promise.all(started);
    for (let slice = 0; slice < 2 * SLICES; slice += 1) {
      const side = sides[(slice + (slice >> 1)) % 2]!;
      const { shard, load, kind } = side;
      const [own, servers] = [process.cpuUsage(), await cpuOf(server.pid)];
      const end = performance.now() + (SECONDS * 1_000) / (2 * SLICES);
      const operations = await shard.run(() => performance.now() >= end, load, 128);
      if (kind === 'on')
        await until('all is purged', () => Promise.resolve(shard.purging.tombstones === 0), {
          timeoutMs: 60_000,
        });
      const { user, system } = process.cpuUsage(own);
      // What follows the first slice has tombstones to look at, and a table of the size that it keeps.
      if (slice < 2) continue;
      side.operations += operations;
      side.cpuMs += (user + system) / 1_000 + (await cpuOf(server.pid)) - servers;
    }
    const perOperation = sides.map(({ cpuMs, operations }) => (cpuMs * 1_000) / operations);
    const [off, on] = perOperation as [number, number];
    const rows = sides.map(
      ({ kind, operations }, index) => `| ${kind} | ${operations} | ${perOperation[index]!.toFixed(1)} |`,
    );
    process.stdout.write(`\n| purging | operations | us of CPU per operation |\n${rows.join('\n')}\n`);
    process.stdout.write(`ratio ${(on / off).toFixed(3)}\n`);
    for (const { shard } of sides) await shard.stop();
    expect(on).toBeLessThan(off * 1.25);
  }, 300_000);
});
