/** With a real database: what becomes of schemas that were set aside while one of them cannot be deleted at once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PartitionEntry } from '@ringleader/contracts';
import { HotConnection } from '@ringleader/postgres';
import { startPostgres, type TestServer, until } from '@ringleader/testing-servers';
import { shardConfigSchema } from '../shard.config.js';
import { SetAsideSweeper } from './set-aside-sweeper.js';

const WAIT = { timeoutMs: 20_000 };
const OWN = 9;
const aside = [1, 2].map((ordinal) => ({ schema: `ringleader_forgotten_${ordinal}_1`, ordinal }));
const mapOf = (...replicas: number[]): PartitionEntry[] => [
  { partition: 0, epoch: 1, replicas, nextReplicas: null, learners: [], preferredLeader: replicas[0]! },
];

describe('what is set aside', () => {
  let dir: string;
  let postgres: TestServer;
  let session: HotConnection;
  let holder: HotConnection;
  let sweeper: SetAsideSweeper;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-aside-'));
    postgres = await startPostgres({ dir });
    const options = { applicationName: 'test', connectTimeoutMs: 5_000, stallMs: 60_000 };
    const connect = (): Promise<HotConnection> =>
      HotConnection.open({ ...options, url: postgres.url, onLost: () => undefined });
    [session, holder] = await Promise.all([connect(), connect()]);
    const config = shardConfigSchema.parse({
      RINGLEADER_MEMBER: 'shard-1',
      RINGLEADER_CLUSTER: 'local',
      RINGLEADER_POSTGRES_URL: postgres.url,
    });
    const logger = { info: () => undefined, warn: () => undefined };
    sweeper = new SetAsideSweeper(config, logger, 10);
  }, 60_000);
  afterAll(async () => {
    sweeper.stop();
    await Promise.all([session.close(), holder.close()]);
    await postgres.stop();
    await rm(dir, { recursive: true });
  }, 30_000);

  const valuesOf = async (text: string): Promise<(string | null | undefined)[]> =>
    (await session.run({ name: text.slice(0, 60), text }, [])).map(([value]) => value);
  const schemas = (): Promise<unknown[]> =>
    valuesOf("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'ringleader_') ORDER BY 1");
  const waiting = (): Promise<(string | null | undefined)[]> =>
    valuesOf(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'shard-1 set aside' AND wait_event_type = 'Lock'",
    );

  it('is deleted once nobody needs it, though that could not be done before, or others were being deleted then', async () => {
    for (const { schema } of aside) {
      await session.runOnce(`CREATE SCHEMA ${schema}`);
      await session.runOnce(`CREATE TABLE ${schema}.rows (key text)`);
    }
    await holder.runOnce('BEGIN');
    await holder.runOnce('LOCK TABLE ringleader_forgotten_1_1.rows IN ACCESS SHARE MODE');
    sweeper.look(OWN, aside, mapOf(2, 3, 4));
    await until('it waits', async () => (await waiting()).length > 0, WAIT);
    // The last that is heard of the map for long.
    sweeper.look(OWN, aside, mapOf(5, 3, 4));
    expect(await schemas()).toHaveLength(2);
    const [pid] = await waiting();
    await valuesOf(`SELECT pg_terminate_backend(${pid})`);
    await until('it tries again', async () => (await waiting()).some((other) => other !== pid), WAIT);
    await holder.runOnce('COMMIT');
    await until('both are gone', async () => (await schemas()).length === 0, WAIT);
  }, 60_000);
});
