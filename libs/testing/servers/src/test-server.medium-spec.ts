import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectNats } from '@nats-io/transport-node';
import pg from 'pg';
import { startNatsServer, startPostgres, type TestServer } from './index.js';

async function query(server: TestServer, text: string): Promise<unknown[]> {
  const client = new pg.Client(server.url);
  // A server that is killed ends the connection: the error reaches the query in flight, or nobody.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('servers for tests', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-servers-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('runs a PostgreSQL that keeps its rows through kill -9 and restarts', async () => {
    const server = await startPostgres({ dir: join(dir, 'postgres') });
    try {
      await query(server, 'CREATE TABLE t (n int)');
      await query(server, 'INSERT INTO t VALUES (42)');
      const [fsync] = await query(server, 'SHOW fsync');
      expect(fsync).toEqual({ fsync: 'on' });
      await server.kill9();
      await server.restart();
      expect(await query(server, 'SELECT n FROM t')).toEqual([{ n: 42 }]);
      await server.stop();
      await expect(query(server, 'SELECT 1')).rejects.toThrow();
      await server.restart();
      expect(await query(server, 'SELECT n FROM t')).toEqual([{ n: 42 }]);
    } finally {
      await server.stop();
    }
  }, 60_000);

  it('runs a nats-server that takes payloads of 8 MB', async () => {
    const server = await startNatsServer({ dir: join(dir, 'nats') });
    try {
      const connection = await connectNats({ servers: server.url });
      expect(connection.info?.max_payload).toBe(8 * 1024 * 1024);
      await connection.close();
      const pid = server.pid;
      await server.kill9();
      await server.restart();
      expect(server.pid).not.toBe(pid);
      await (await connectNats({ servers: server.url })).close();
    } finally {
      await server.stop();
    }
  }, 120_000);
});
