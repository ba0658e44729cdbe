/** What the storage has acknowledged survives `kill -9` of PostgreSQL, and records and rows never disagree. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HotConnection } from '@ringleader/postgres';
import { startPostgres, type TestServer } from '@ringleader/testing-servers';
import type { ShardStorage } from '../src/storage/shard-storage.js';
import { readRows, recordOf, rowOf, transactionOf, upsertsOf } from '@ringleader/testing-conformance';
import { openStorage } from './storage.fixtures.js';

let dir: string;
let server: TestServer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-storage-crash-'));
  server = await startPostgres({ dir });
}, 60_000);

afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

const KEYS = Array.from({ length: 20 }, (_, i) => `key-${i}`);
const PARTITION = 1;

/** Transaction number r writes all keys at revision r, and the record says so. Gives the last number acknowledged. */
async function writeUntilFailure(storage: ShardStorage, first: number): Promise<number> {
  for (let revision = first; ; revision++) {
    const record = recordOf(PARTITION, { position: { ballot: 65_537, revision } });
    const rows = KEYS.map((key) => rowOf(key, { revision, value: Buffer.alloc(500, revision) }));
    try {
      await storage.commit(transactionOf({ records: [record], upserts: upsertsOf(PARTITION, rows) }));
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
      return revision - 1;
    }
    if (revision === first + 50) void server.kill9();
  }
}

describe('a storage whose database is killed', () => {
  it('keeps every acknowledged transaction, whole, and may keep the one under way', async () => {
    let durable = 0;
    for (let round = 0; round < 4; round++) {
      const lost = Promise.withResolvers<unknown>();
      const { storage, records } = await openStorage(server.url, { onLost: lost.resolve });
      const record = records.find(({ partition }) => partition === PARTITION);
      const found = record?.position.revision ?? 0;
      expect([durable, durable + 1]).toContain(found);
      const rows = await readRows(storage, PARTITION, KEYS);
      expect(new Set(rows.map((row) => row?.revision ?? 0))).toEqual(new Set([found]));
      durable = await writeUntilFailure(storage, found + 1);
      expect(durable).toBeGreaterThanOrEqual(found + 50);
      expect(await lost.promise).toMatchObject({ code: 'STORAGE_FAILED' });
      await storage.close();
      await server.restart();
    }
  }, 120_000);

  it('counts as lost when it does not answer', async () => {
    const lost = Promise.withResolvers<unknown>();
    const { storage } = await openStorage(server.url, { stallMs: 400, onLost: lost.resolve });
    const blocker = await HotConnection.open({
      url: server.url,
      applicationName: 'blocker',
      connectTimeoutMs: 5_000,
      stallMs: 60_000,
      onLost: () => undefined,
    });
    await blocker.runOnce('BEGIN');
    await blocker.runOnce('LOCK TABLE record_log IN ACCESS EXCLUSIVE MODE');
    await expect(storage.commit(transactionOf({ records: [recordOf(PARTITION)] }))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      details: { reason: 'connection' },
    });
    expect(await lost.promise).toMatchObject({ code: 'STORAGE_FAILED' });
    await Promise.all([blocker.close(), storage.close()]);
  }, 30_000);
});
