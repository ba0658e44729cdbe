/** What the probes of a coordinator say while NATS, or the other founders, are away. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { createLogger } from '@ringleader/observability';
import { startService } from '@ringleader/service-host';
import type { RunningService } from '@ringleader/service-host';
import { freePort, startChild, startNatsServer, until, workspaceRoot } from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';
import { coordinator } from '../src/coordinator.js';

const WAIT = { timeoutMs: 20_000, everyMs: 20 };

describe('the process of a coordinator', () => {
  let folder: string;
  let port: number;
  let nats: TestServer | null = null;
  let service: RunningService | null = null;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coordinator-process-'));
    port = await freePort();
  });
  afterEach(async () => {
    await service?.stop();
    await nats?.stop();
    [service, nats] = [null, null];
  }, 30_000);
  afterAll(() => rm(folder, { recursive: true }));

  const environment = (count: number): Record<string, string> => ({
    RINGLEADER_NATS_URL: `nats://127.0.0.1:${port}`,
    RINGLEADER_MEMBER: 'coordinator-1',
    RINGLEADER_COORDINATOR_ID: '1',
    RINGLEADER_COORDINATOR_COUNT: String(count),
    RINGLEADER_BOOTSTRAP: 'new-cluster',
    RINGLEADER_DATA_DIR: join(folder, `of-${count}`),
  });
  async function start(count: number): Promise<void> {
    const config = loadConfig(coordinator.schema, { ...environment(count), RINGLEADER_PROBE_PORT: '0' });
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'coordinator-1' });
    service = await startService(coordinator, config, logger);
  }
  const startNats = async (): Promise<void> => {
    nats = await startNatsServer({ dir: join(folder, 'nats'), port });
  };
  async function probe(path: string): Promise<{ status: number; body: string }> {
    const answer = await fetch(`http://${service?.address}${path}`);
    return { status: answer.status, body: await answer.text() };
  }
  const answersWith = (path: string, status: number) => async (): Promise<boolean> =>
    (await probe(path)).status === status;

  it('has started when its log is open, and is ready when NATS and a leader are there', async () => {
    await start(1);
    await until('the start', answersWith('/startupz', 200), WAIT);
    await until('the reason', async () => (await probe('/readyz')).body.includes('cannot be reached'), WAIT);
    await startNats();
    await until('readiness', answersWith('/readyz', 200), WAIT);
    expect((await probe('/metrics')).body).toMatch(
      /raft_events_total\{[^}]*kind="leaderChanged"[^}]*\} [1-9]/,
    );
  }, 60_000);

  it('waits with an empty disk and the word to join: it has started, and says what it waits for', async () => {
    const { RINGLEADER_BOOTSTRAP: founds, ...without } = environment(1);
    expect(founds).toBe('new-cluster');
    const file = join(folder, 'bootstrap');
    await writeFile(file, 'join\n');
    const variables = {
      ...{ ...without, RINGLEADER_BOOTSTRAP_FILE: file, RINGLEADER_PROBE_PORT: '0' },
      RINGLEADER_DATA_DIR: join(folder, 'joins'),
    };
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'coordinator-1' });
    await startNats();
    service = await startService(coordinator, loadConfig(coordinator.schema, variables), logger);
    await service.application;
    expect((await probe('/startupz')).status).toBe(200);
    expect(await probe('/readyz')).toEqual({
      status: 503,
      body: expect.stringContaining(
        '["it is not in the group of coordinators: it waits to be let in"]',
      ) as unknown,
    });
  }, 30_000);

  it('is refused with an empty disk and without the word, before NATS is there, and has not started', async () => {
    const { RINGLEADER_BOOTSTRAP: word, ...without } = environment(3);
    expect(word).toBe('new-cluster');
    const directory = join(folder, 'lost');
    const variables = { ...without, RINGLEADER_DATA_DIR: directory, RINGLEADER_PROBE_PORT: '0' };
    const config = loadConfig(coordinator.schema, variables);
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'coordinator-1' });
    service = await startService(coordinator, config, logger);
    await expect(service.application).rejects.toMatchObject({ code: 'LOG_MISSING' });
    expect((await probe('/startupz')).status).toBe(503);
    await expect(service.stop()).rejects.toMatchObject({ code: 'LOG_MISSING' });
    service = null;
  }, 20_000);

  it('ends at once with code 0 while it waits for those that it founds a cluster with', async () => {
    const main = join(workspaceRoot(), 'apps/coordinator/dist/main.js');
    if (!existsSync(main)) throw new Error(`${main} is not there: build first (tsc -b apps/coordinator)`);
    await startNats();
    const probePort = await freePort();
    const child = await startChild({
      name: 'coordinator',
      command: process.execPath,
      args: [main],
      env: { ...process.env, NODE_OPTIONS: '', ...environment(3), RINGLEADER_PROBE_PORT: String(probePort) },
      logFile: join(folder, 'coordinator.log'),
      orphaned: 'lifeline',
    });
    const startup = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${probePort}/startupz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('the start', startup, WAIT);
    const readiness = await fetch(`http://127.0.0.1:${probePort}/readyz`);
    expect(await readiness.json()).toMatchObject({ ready: false });
    expect(await child.stop('SIGTERM', 4_000)).toEqual({ code: 0, signal: null });
  }, 60_000);
});
