/** A service of one module on a real nats-server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type BeforeApplicationShutdown } from '@nestjs/common';
import { commonConfig, loadConfig } from '@ringleader/config';
import { createLogger } from '@ringleader/observability';
import { freePort, startNatsServer, until } from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';
import { z } from 'zod';
import { NatsLink } from '@ringleader/nats';
import { injectable } from './injectables.js';
import { startService } from './start-service.js';
import type { RunningService, ServiceDefinition } from './start-service.js';

const WAIT = { timeoutMs: 15_000, everyMs: 20 };
const schema = z.object(commonConfig);
abstract class Config extends injectable<Readonly<z.infer<typeof schema>>>() {}

/** Work under way, which a stop waits for. */
@Injectable()
class Work implements BeforeApplicationShutdown {
  static underWay = Promise.resolve();
  static isStopping = false;
  constructor(readonly nats: NatsLink) {}
  async beforeApplicationShutdown(): Promise<void> {
    Work.isStopping = true;
    await Work.underWay;
  }
}

@Module({ providers: [Work] })
class AppModule {}

const definition = {
  service: 'gateway',
  schema,
  config: Config,
  module: AppModule,
  stopWithinMs: 5_000,
} as const satisfies ServiceDefinition<typeof schema>;

describe('startService', () => {
  let folder: string;
  let nats: TestServer | null = null;
  let service: RunningService | null = null;
  let port: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'service-host-'));
    port = await freePort();
  });
  afterEach(async () => {
    await service?.stop();
    service = null;
    await nats?.stop();
    nats = null;
    Work.underWay = Promise.resolve();
  });
  afterAll(() => rm(folder, { recursive: true }));

  const startNats = async (): Promise<void> => {
    nats = await startNatsServer({ dir: folder, port });
  };
  async function start(more: Record<string, string> = {}): Promise<RunningService> {
    const config = loadConfig(schema, {
      RINGLEADER_MEMBER: 'gateway-1',
      RINGLEADER_NATS_URL: `nats://127.0.0.1:${port}`,
      RINGLEADER_PROBE_PORT: '0',
      ...more,
    });
    const logger = createLogger({ level: 'silent', service: 'gateway', member: 'gateway-1' });
    service = await startService(definition, config, logger);
    return service;
  }
  async function probe(path: string, method = 'GET'): Promise<{ status: number; body: string }> {
    const answer = await fetch(`http://${service?.address}${path}`, { method });
    return { status: answer.status, body: await answer.text() };
  }
  const isReady = async (): Promise<boolean> => (await probe('/readyz')).status === 200;

  it('answers probes while NATS is away, says that it waits for it, and goes on when it comes', async () => {
    await start();
    for (const path of ['/livez', '/healthz', '/startupz', '/metrics']) {
      expect([path, (await probe(path)).status]).toEqual([path, 200]);
    }
    for (const condition of ['If-Match', 'If-Unmodified-Since']) {
      const answer = await fetch(`http://${service?.address}/livez`, { headers: { [condition]: '*' } });
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(/means nothing/)]);
    }
    await until('the reason', async () => (await probe('/readyz')).body.includes('cannot be reached'), WAIT);
    expect(await probe('/readyz')).toMatchObject({
      status: 503,
      body: expect.stringContaining(`it waits for NATS: NATS at nats://127.0.0.1:${port}`) as unknown,
    });
    await startNats();
    await until('readiness', isReady, WAIT);
  }, 60_000);

  it('stops while it waits for NATS', async () => {
    const { stop, address } = await start();
    await stop();
    await expect(fetch(`http://${address}/livez`)).rejects.toThrow();
  });

  it('is alive and not ready while it drains, for as long as the pause and the work take', async () => {
    await startNats();
    const { stop, application } = await start({ RINGLEADER_DRAIN_PAUSE_MS: '200' });
    await application;
    await until('readiness', isReady, WAIT);
    expect((await probe('/metrics')).body).toMatch(/^ringleader_nats_connected\{.*\} 1$/m);
    expect((await probe('/metrics')).body).toMatch(/^ringleader_nats_stale_total\{lane="control".*\} 0$/m);
    const work = Promise.withResolvers<void>();
    Work.underWay = work.promise;
    Work.isStopping = false;
    const startedAt = performance.now();
    const stopped = stop();
    expect(await probe('/readyz')).toMatchObject({ status: 503 });
    expect(Work.isStopping).toBe(false);
    await until('the work to be asked to end', () => Work.isStopping, WAIT);
    expect(performance.now() - startedAt).toBeGreaterThan(190);
    expect(await probe('/livez')).toMatchObject({ status: 200 });
    work.resolve();
    await stopped;
  }, 60_000);

  it('fails when its connection is closed for good, and not when it stops', async () => {
    await startNats();
    const first = await start();
    let hasFailed = false;
    first.failed.catch(() => (hasFailed = true));
    await first.application;
    await first.stop();
    expect(hasFailed).toBe(false);
    const { application, failed } = await start();
    await (await application).get(Work, { strict: false }).nats.connection.close();
    await expect(failed).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
  }, 60_000);

  it('refuses what it does not have', async () => {
    await start();
    expect(await probe('/secrets')).toMatchObject({ status: 404 });
    expect(await probe('/livez', 'POST')).toMatchObject({ status: 405 });
  });

  it('says in a sentence that the port of its probes is taken', async () => {
    const { address } = await start();
    const probePort = address.split(':').at(-1) ?? '';
    const first = service;
    await expect(start({ RINGLEADER_PROBE_PORT: probePort })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('EADDRINUSE') as unknown,
    });
    service = first;
  });
});
