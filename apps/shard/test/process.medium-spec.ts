/** A shard as a process of a cluster that is not complete: what its probes say while this or that is away. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { inboxPrefix, memberKey } from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import { UNLOGGED, connectNats, type NatsLink } from '@ringleader/nats';
import { createLogger, systemClock } from '@ringleader/observability';
import { startService } from '@ringleader/service-host';
import type { RunningService } from '@ringleader/service-host';
import {
  freePort,
  startChild,
  startNatsServer,
  startPostgres,
  until,
  workspaceRoot,
} from '@ringleader/testing-servers';
import type { Child, TestServer } from '@ringleader/testing-servers';
import { shard } from '../src/shard.js';

const WAIT = { timeoutMs: 30_000, everyMs: 50 };
const TIMEOUT_MS = 90_000;
const CLUSTER = 'local';

describe('the process of a shard', () => {
  let folder: string;
  let nats: TestServer;
  let postgres: TestServer | null = null;
  let postgresPort: number;
  let postgresUrl: string;
  let coordinator: Child;
  let link: NatsLink;
  let client: CoordinationClient;
  let service: RunningService | null = null;

  beforeAll(async () => {
    const main = join(workspaceRoot(), 'apps/coordinator/dist/main.js');
    if (!existsSync(main)) throw new Error(`${main} is not there: build first (tsc -b apps/coordinator)`);
    folder = await mkdtemp(join(tmpdir(), 'shard-process-'));
    nats = await startNatsServer({ dir: join(folder, 'nats') });
    postgresPort = await freePort();
    await startDatabase();
    postgresUrl = postgres?.url ?? '';
    await postgres?.stop();
    postgres = null;
    // A map is made when three shards are there: never, here.
    const env = {
      ...{ ...process.env, NODE_OPTIONS: '' },
      RINGLEADER_NATS_URL: nats.url,
      RINGLEADER_MEMBER: 'coordinator-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_COORDINATOR_COUNT: '1',
      RINGLEADER_BOOTSTRAP: 'new-cluster',
      RINGLEADER_DATA_DIR: join(folder, 'coordinator-1'),
    };
    const logFile = join(folder, 'coordinator.log');
    const [name, command] = ['coordinator', process.execPath];
    coordinator = await startChild({ name, command, args: [main], env, logFile, orphaned: 'lifeline' });
    const speaker = { service: 'operator', member: 'test' } as const;
    const inbox = inboxPrefix(CLUSTER, speaker);
    link = await connectNats({ servers: [nats.url], name: 'test', inboxPrefix: inbox }, UNLOGGED);
    client = new CoordinationClient({ link, cluster: CLUSTER, speaker, clock: systemClock });
  }, TIMEOUT_MS);
  afterEach(async () => {
    await service?.stop();
    service = null;
    await postgres?.stop();
    postgres = null;
  }, TIMEOUT_MS);
  afterAll(async () => {
    await client.close();
    await link.close();
    await coordinator.stop('SIGTERM', 10_000);
    await nats.stop();
    await rm(folder, { recursive: true });
  }, TIMEOUT_MS);

  const startDatabase = async (): Promise<void> => {
    postgres = await startPostgres({ dir: join(folder, 'postgres'), port: postgresPort });
  };
  async function start(natsUrl = nats.url): Promise<void> {
    const config = loadConfig(shard.schema, {
      RINGLEADER_NATS_URL: natsUrl,
      RINGLEADER_MEMBER: 'shard-1',
      RINGLEADER_PROBE_PORT: '0',
      RINGLEADER_POSTGRES_URL: postgresUrl,
    });
    service = await startService(
      shard,
      config,
      createLogger({ level: 'silent', service: 'shard', member: 'shard-1' }),
    );
    if (natsUrl === nats.url) await service.application;
  }
  async function probe(path: string): Promise<{ status: number; body: string }> {
    const answer = await fetch(`http://${service?.address}${path}`);
    return { status: answer.status, body: await answer.text() };
  }
  /** As it is registered. */
  const isRegisteredAs = (state: string) => async (): Promise<boolean> => {
    const { items } = await client.range({ key: memberKey('shard', 'shard-1') });
    return (JSON.parse(items[0]?.value ?? '{}') as { state?: string }).state === state;
  };
  const answersWith = (path: string, status: number) => async (): Promise<boolean> =>
    (await probe(path)).status === status;

  it(
    'starts and becomes ready alone, without a map and without two others',
    async () => {
      await startDatabase();
      await start();
      await until('the start', answersWith('/startupz', 200), WAIT);
      await until('readiness', answersWith('/readyz', 200), WAIT);
      const figures = (await probe('/metrics')).body;
      expect(figures).toMatch(/postgres_round_trip_seconds_count\{[^}]*connection="writer"[^}]*\} [1-9]/);
      expect(figures).toMatch(/ringleader_nats_[a-z_]*\{[^}]*lane="data"/);
      await postgres?.kill9();
      await until('the loss of the database to be told', answersWith('/readyz', 503), WAIT);
      await until('that nobody is to count on it', isRegisteredAs('starting'), WAIT);
      expect(await probe('/livez')).toMatchObject({ status: 200 });
      expect(await probe('/startupz')).toMatchObject({ status: 200 });
      await postgres?.restart();
      await until('readiness', answersWith('/readyz', 200), WAIT);
      await until('that it serves again', isRegisteredAs('serving'), WAIT);
    },
    TIMEOUT_MS,
  );

  it(
    'lives and has not started while its database is away, and says so',
    async () => {
      await start();
      expect(await probe('/livez')).toMatchObject({ status: 200 });
      await until('the reason', async () => (await probe('/readyz')).body.includes('PostgreSQL'), WAIT);
      expect(await probe('/startupz')).toMatchObject({
        status: 503,
        body: expect.stringContaining('the schema of the database is not migrated yet') as unknown,
      });
      await startDatabase();
      await until('the start', answersWith('/startupz', 200), WAIT);
      await until('readiness', answersWith('/readyz', 200), WAIT);
    },
    TIMEOUT_MS,
  );

  it(
    'migrates its schema while NATS is away',
    async () => {
      await start(`nats://127.0.0.1:${await freePort()}`);
      await until('the reason', async () => (await probe('/readyz')).body.includes('waits for NATS'), WAIT);
      expect(await probe('/startupz')).toMatchObject({ status: 503 });
      await startDatabase();
      await until('the start', answersWith('/startupz', 200), WAIT);
      expect(await probe('/readyz')).toMatchObject({ status: 503 });
    },
    TIMEOUT_MS,
  );
});
