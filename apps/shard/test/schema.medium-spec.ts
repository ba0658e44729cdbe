/** The schema that the migrations make is the one in schema.snapshot.txt, and the one that the entities describe. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { createLogger } from '@ringleader/observability';
import { migrate, openDataSource } from '@ringleader/postgres';
import { startPostgres, type TestServer } from '@ringleader/testing-servers';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { WalReporter } from '../src/partitions/wal-reporter.js';
import { ENTITIES, MIGRATIONS, ShardDatabase } from '../src/storage/shard-database.js';
import { openStorage } from './storage.fixtures.js';

const SNAPSHOT = new URL('schema.snapshot.txt', import.meta.url);

const DESCRIBE_SCHEMA = `
  SELECT format('table %s (%s)', c.relname, coalesce(array_to_string(c.reloptions, ', '), '')) AS line,
         c.relname AS relation, 0 AS rank, 0 AS place
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' not null' END,
                CASE WHEN a.attstorage = 'e' THEN ' storage external' END,
                ' default ' || pg_get_expr(d.adbin, d.adrelid)), c.relname, 1, a.attnum
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT '  ' || k.conname || ' ' || pg_get_constraintdef(k.oid), c.relname, 2,
         row_number() OVER (PARTITION BY c.oid ORDER BY k.conname)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::regnamespace AND k.contype <> 'n'
  UNION ALL
  SELECT '  ' || pg_get_indexdef(i.indexrelid), c.relname, 3,
         row_number() OVER (PARTITION BY c.oid ORDER BY i.indexrelid::regclass::text)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace
  ORDER BY relation, rank, place`;

let dir: string;
let server: TestServer;
let dataSource: DataSource;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-schema-'));
  server = await startPostgres({ dir });
  dataSource = await openDataSource({
    url: server.url,
    applicationName: 'schema test',
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 60_000,
    entities: ENTITIES,
    migrations: MIGRATIONS,
  });
  await migrate(dataSource);
}, 60_000);

afterAll(async () => {
  await dataSource.destroy();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('the schema', () => {
  it('is the snapshot (UPDATE_SNAPSHOTS=1 writes it anew)', async () => {
    const lines = await dataSource.query<{ line: string }[]>(DESCRIBE_SCHEMA);
    const schema = `${lines.map(({ line }) => line).join('\n')}\n`;
    if (process.env['UPDATE_SNAPSHOTS'] === '1') await writeFile(SNAPSHOT, schema);
    expect(schema).toBe(await readFile(SNAPSHOT, 'utf8'));
  });

  it('is what the entities say: nothing would have to be changed', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('can be taken back and made again', async () => {
    await dataSource.undoLastMigration();
    await migrate(dataSource);
    expect(await dataSource.showMigrations()).toBe(false);
  });
});

describe('a database that may forget what it acknowledged', () => {
  it('is refused, by name of the setting', async () => {
    await dataSource.query('ALTER ROLE CURRENT_USER SET synchronous_commit = off');
    try {
      await expect(openStorage(server.url)).rejects.toMatchObject({
        code: 'DURABILITY_OFF',
        details: { setting: 'synchronous_commit', value: 'off' },
      });
    } finally {
      await dataSource.query('ALTER ROLE CURRENT_USER RESET synchronous_commit');
    }
    await (await openStorage(server.url)).storage.close();
  });

  it('ends the life of its shard when that was switched off since the start', async () => {
    const { url } = server;
    const options = { shardId: 'shard-1', stallMs: 5_000, connectTimeoutMs: 5_000, lastIncarnation: null };
    const database = await ShardDatabase.connect({ url, ...options, onLost: () => undefined });
    // The command line of this server goes before ALTER SYSTEM; later sessions are what this changes.
    await dataSource.query('ALTER ROLE CURRENT_USER SET synchronous_commit = off');
    const { storage } = await database
      .openStorage(1)
      .finally(() => dataSource.query('ALTER ROLE CURRENT_USER RESET synchronous_commit'));
    const logger = createLogger({ level: 'silent', service: 'shard', member: 'shard-1' });
    const reporter = new WalReporter(new FakeCoordinator(), 'shard-1', logger);
    const ended = new Promise((resolve) => {
      reporter.follow({ ordinal: 1, incarnation: 1, storage }, resolve);
    });
    expect(await ended).toMatchObject({
      code: 'DURABILITY_OFF',
      details: { setting: 'synchronous_commit', value: 'off' },
    });
    await reporter.stop();
    await storage.close();
  }, 20_000);
});

/** As one of a later version may. */
class Failing1890000000000 implements MigrationInterface {
  up(runner: QueryRunner): Promise<unknown> {
    return runner.query('SELECT nothing');
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a migration that fails', () => {
  it('is told of to who opens the database, and printed nowhere', async () => {
    const methods = ['log', 'info', 'warn', 'error'] as const;
    const printed = methods.map((method) => jest.spyOn(console, method).mockReturnValue(undefined));
    const said: string[] = [];
    const failing = await openDataSource({
      ...{ url: server.url, applicationName: 'test', connectTimeoutMs: 5_000, statementTimeoutMs: 60_000 },
      ...{ entities: [], migrations: [...MIGRATIONS, Failing1890000000000] },
      onSaid: (text) => said.push(text),
    });
    try {
      await expect(migrate(failing)).rejects.toThrow('column "nothing" does not exist');
    } finally {
      await failing.destroy();
    }
    const lines = printed.flatMap(({ mock }) => mock.calls);
    for (const method of printed) method.mockRestore();
    expect(said).toEqual([expect.stringMatching(/"Failing1890000000000" failed, error: .*nothing/)]);
    expect(lines).toEqual([]);
  });
});

describe('a database of whose tables that of the migrations is gone', () => {
  it('is called damaged, and left as it is', async () => {
    await dataSource.query('CREATE TABLE saved AS TABLE schema_migrations');
    await dataSource.query('DROP TABLE schema_migrations');
    try {
      await expect(openStorage(server.url)).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
        details: { action: 'migrate', reason: 'damaged' },
      });
    } finally {
      // It was made anew before the first migration failed.
      await dataSource.query('INSERT INTO schema_migrations TABLE saved');
      await dataSource.query('DROP TABLE saved');
    }
    await (await openStorage(server.url)).storage.close();
  });
});
