/** Whatever a role, a database or a server sets for all sessions: those of a shard read and write as ever. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HotConnection, openDataSource } from '@ringleader/postgres';
import { readRows, recordOf, rowOf, transactionOf, upsertsOf } from '@ringleader/testing-conformance';
import { startPostgres, type TestServer, until } from '@ringleader/testing-servers';
import { openStorage } from './storage.fixtures.js';

const TIMEOUTS = [
  'statement_timeout',
  'lock_timeout',
  'idle_session_timeout',
  'idle_in_transaction_session_timeout',
];
const ISOLATION = 'default_transaction_isolation';
const NAMES = [...TIMEOUTS, ISOLATION];
const SHOWN = `SELECT ${NAMES.map((name) => `current_setting('${name}') AS ${name}`).join(', ')}`;

let dir: string;
let server: TestServer;
let admin: HotConnection;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-settings-'));
  server = await startPostgres({ dir });
  admin = await HotConnection.open({
    ...{ url: server.url, applicationName: 'admin', connectTimeoutMs: 5_000, stallMs: 60_000 },
    onLost: () => undefined,
  });
}, 60_000);

afterAll(async () => {
  await admin.close();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

async function setForAll(settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    await admin.runOnce(`ALTER ROLE CURRENT_USER SET ${name} = '${value}'`);
  }
}

async function resetForAll(): Promise<void> {
  await admin.runOnce('ALTER ROLE CURRENT_USER RESET ALL');
}

/** What a session would have that sets nothing itself. */
const OUTPUT = { name: 'output', text: "SELECT reset_val FROM pg_settings WHERE name = 'bytea_output'" };

async function reloaded(output: string): Promise<void> {
  await admin.runOnce('SELECT pg_reload_conf()');
  const isReloaded = async (): Promise<boolean> => (await admin.run(OUTPUT, []))[0]?.[0] === output;
  await until(`${output} everywhere`, isReloaded, { timeoutMs: 30_000 });
}

describe('the sessions of a shard', () => {
  it('read what they wrote where values are to be printed as text', async () => {
    await setForAll({ bytea_output: 'escape' });
    const before = await openStorage(server.url);
    const row = rowOf('key', { value: Buffer.from([0, 92, 120, 65, 255]) });
    await before.storage.commit(
      transactionOf({ records: [recordOf(3, { promised: 7 })], upserts: upsertsOf(3, [row]) }),
    );
    expect(await readRows(before.storage, 3, ['key'])).toEqual([row]);
    await before.storage.close();
    const after = await openStorage(server.url);
    await resetForAll();
    expect(after.records).toMatchObject([{ partition: 3, promised: 7 }]);
    expect(await readRows(after.storage, 3, ['key'])).toEqual([row]);
    await after.storage.close();
  });

  it('go on to, where that comes with a reload', async () => {
    const { storage } = await openStorage(server.url);
    const row = rowOf('reloaded', { value: Buffer.from('A') });
    await storage.commit(transactionOf({ upserts: upsertsOf(4, [row]) }));
    await admin.runOnce("ALTER SYSTEM SET bytea_output = 'escape'");
    await reloaded('escape');
    expect(await readRows(storage, 4, ['reloaded'])).toEqual([row]);
    await admin.runOnce('ALTER SYSTEM RESET bytea_output');
    await reloaded('hex');
    await storage.close();
  });

  it('find the tables where they are, whatever schema comes first', async () => {
    const before = await openStorage(server.url);
    const row = rowOf('at home');
    await before.storage.commit(transactionOf({ upserts: upsertsOf(5, [row]) }));
    await before.storage.close();
    let { incarnation } = before;
    const reopened = async () => {
      const { storage, incarnation: next } = await openStorage(server.url);
      expect(next).toBe(incarnation + 1);
      expect(await readRows(storage, 5, ['at home'])).toEqual([row]);
      await storage.close();
      incarnation = next;
    };
    await admin.runOnce('CREATE SCHEMA AUTHORIZATION CURRENT_USER');
    await reopened();
    await admin.runOnce('CREATE SCHEMA elsewhere');
    await setForAll({ search_path: 'elsewhere' });
    await reopened();
    await resetForAll();
  });

  it('are bound by no time and no isolation that others are', async () => {
    await setForAll({
      ...Object.fromEntries(TIMEOUTS.map((name) => [name, '30s'])),
      [ISOLATION]: 'serializable',
    });
    const hot = await HotConnection.open({
      ...{ url: server.url, applicationName: 'test', connectTimeoutMs: 5_000, stallMs: 60_000 },
      onLost: () => undefined,
    });
    const dataSource = await openDataSource({
      ...{ url: server.url, applicationName: 'test', connectTimeoutMs: 5_000 },
      ...{ statementTimeoutMs: 60_000, entities: [], migrations: [] },
    });
    await resetForAll();
    const ours = [...TIMEOUTS.map(() => '0'), 'read committed'];
    expect(await hot.run({ name: 'shown', text: SHOWN }, [])).toEqual([ours]);
    const [row] = await dataSource.query<Record<string, string>[]>(SHOWN);
    expect(NAMES.map((name) => row?.[name])).toEqual(ours);
    await Promise.all([hot.close(), dataSource.destroy()]);
  });
});
