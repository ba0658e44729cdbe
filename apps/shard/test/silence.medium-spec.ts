/** A database that vanishes without a word while a shard opens it: the attempt ends, wherever it stands, and the next one finds it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type TestServer, until } from '@ringleader/testing-servers';
import type { ShardStorage } from '../src/storage/shard-storage.js';
import { SilentProxy } from './silent-proxy.fixtures.js';
import { openStorage } from './storage.fixtures.js';

const LIMITS = { stallMs: 1_000, connectTimeoutMs: 1_000 };
/** Of the answers of an opening, which are a few dozen: with one more, with three more, ... */
const EVERY = 4;

let dir: string;
let server: TestServer;
let proxy: SilentProxy;
let url: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-silence-'));
  server = await startPostgres({ dir });
  proxy = new SilentProxy(server.port);
  url = await proxy.listen(server.url);
}, 60_000);

afterAll(async () => {
  proxy.close();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('a database that vanishes without a word while it is opened', () => {
  it('ends the attempt after any of its answers, and is opened when it is there again', async () => {
    let opened: ShardStorage | null = null;
    for (let answers = 0; opened === null; answers += EVERY) {
      proxy.answersLeft = answers;
      opened = await openStorage(url, LIMITS).then(
        ({ storage }) => storage,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'connection' } });
          return null;
        },
      );
      if (opened === null) proxy.cut();
    }
    await opened.close();
    expect(proxy.answersLeft).toBeLessThan(EVERY);
  }, 300_000);

  it('is closed within a moment, and leaves no connection behind', async () => {
    proxy.answersLeft = Number.POSITIVE_INFINITY;
    const { storage } = await openStorage(url, LIMITS);
    proxy.answersLeft = 0;
    await storage.close();
    await until('all connections are closed', () => proxy.connections === 0, { timeoutMs: 30_000 });
  }, 60_000);
});
