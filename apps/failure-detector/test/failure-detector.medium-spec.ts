/** A real detector on a real nats-server and a real coordinator; the other members are heartbeats that the test sends. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { memberKey, subjects, verdictReportSchema } from '@ringleader/contracts';
import type { Member, Service, Verdict, VerdictReport } from '@ringleader/contracts';
import { CoordinationClient, MemberRegistration } from '@ringleader/coordination';
import { UNLOGGED, connectNats, heartbeatSink } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter, createLogger, systemClock } from '@ringleader/observability';
import { startService } from '@ringleader/service-host';
import type { RunningService } from '@ringleader/service-host';
import { freePort, startChild, startNatsServer, until, workspaceRoot } from '@ringleader/testing-servers';
import type { Child, TestServer } from '@ringleader/testing-servers';
import { failureDetector } from '../src/failure-detector.js';

const CLUSTER = 'local';
const DETECTOR = 'failure-detector-1';
const TIMEOUT_MS = 60_000;
const WAIT = { timeoutMs: 20_000, everyMs: 20 };

const built = (app: string): string => {
  const main = join(workspaceRoot(), `apps/${app}/dist/main.js`);
  if (!existsSync(main)) throw new Error(`${main} is not there: build first (tsc -b apps/${app})`);
  return main;
};

describe('the failure detector', () => {
  let folder: string;
  let nats: TestServer;
  let coordinator: Child;
  let link: NatsLink;
  let client: CoordinationClient;
  let detector: RunningService | null = null;
  const reports: VerdictReport[] = [];
  const cleanups: (() => Promise<void> | void)[] = [];

  const environment = (): Record<string, string> => ({
    RINGLEADER_NATS_URL: nats.url,
    RINGLEADER_MEMBER: DETECTOR,
    RINGLEADER_PROBE_PORT: '0',
    RINGLEADER_FIRST_HEARTBEAT_GRACE_MS: '500',
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'failure-detector-'));
    nats = await startNatsServer({ dir: join(folder, 'nats') });
    link = await connectNats({ servers: [nats.url], name: 'test' }, UNLOGGED);
    client = clientOf('operator', 'test');
    coordinator = await startProcess('coordinator', {
      RINGLEADER_NATS_URL: nats.url,
      RINGLEADER_MEMBER: 'coordinator-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_COORDINATOR_COUNT: '1',
      RINGLEADER_BOOTSTRAP: 'new-cluster',
      RINGLEADER_DATA_DIR: join(folder, 'coordinator-1'),
    });
    link.connection.subscribe(subjects.verdicts.to(CLUSTER), {
      callback: (_error, message) => void reports.push(verdictReportSchema.parse(message.json())),
    });
  }, TIMEOUT_MS);

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await detector?.stop();
    detector = null;
    reports.length = 0;
  }, TIMEOUT_MS);

  afterAll(async () => {
    await client.close();
    await coordinator.stop('SIGTERM', 6_000);
    await link.close();
    await nats.stop();
    await rm(folder, { recursive: true });
  }, TIMEOUT_MS);

  function startProcess(app: string, env: Record<string, string>): Promise<Child> {
    const logFile = join(folder, `${app}.log`);
    const childEnv = { ...process.env, NODE_OPTIONS: '', ...env };
    const [command, args] = [process.execPath, [built(app)]];
    return startChild({ name: app, command, args, env: childEnv, logFile, orphaned: 'lifeline' });
  }

  async function start(): Promise<void> {
    const config = loadConfig(failureDetector.schema, environment());
    detector = await startService(
      failureDetector,
      config,
      createLogger({ level: 'silent', service: 'failure-detector', member: DETECTOR }),
    );
  }

  function clientOf(service: Service, member: string): CoordinationClient {
    const speaker = { service, member };
    return new CoordinationClient({ link, cluster: CLUSTER, speaker, clock: systemClock, members: [1] });
  }

  /** A member that beats until it is told not to. */
  function beat(service: Service, id: string): { stop(): void } {
    const meter = new LoadMeter({ inFlight: () => 0, requestsTotal: () => 0 });
    const identity = { service, id, instance: `${id}-process` };
    const publisher = new HeartbeatPublisher(
      identity,
      meter,
      heartbeatSink(link, CLUSTER, { service, member: id }),
      () => true,
    );
    publisher.start();
    cleanups.push(() => publisher.stop());
    return publisher;
  }

  async function register(service: Service, id: string): Promise<MemberRegistration> {
    const member: Member = {
      ...{ service, id, address: '', version: '0.0.0', instance: `${id}-process`, ordinal: 0 },
      ...{ startedAt: new Date().toISOString(), state: 'serving' },
    };
    const own = clientOf(service, id);
    const registration = new MemberRegistration({ client: own, member });
    await registration.start();
    cleanups.push(() => own.close());
    cleanups.push(() => registration.stop());
    return registration;
  }

  const lastVerdict = (id: string): Verdict | undefined =>
    reports.at(-1)?.members.find((member) => member.id === id)?.verdict;
  const verdict = (id: string, expected: Verdict | undefined): Promise<void> =>
    until(
      `${id} to be ${expected ?? 'forgotten'}`,
      () => reports.length > 0 && lastVerdict(id) === expected,
      WAIT,
    );

  it(
    'follows a member from its registration to its death, its return and its leave',
    async () => {
      await start();
      const registration = await register('gateway', 'gateway-7');
      await verdict('gateway-7', 'suspect');
      expect(reports.at(-1)?.members.find(({ id }) => id === 'gateway-7')).toMatchObject({
        service: 'gateway',
        lastHeartbeatAgeMs: null,
      });
      const first = beat('gateway', 'gateway-7');
      await verdict('gateway-7', 'alive');
      first.stop();
      const diedAt = performance.now();
      await verdict('gateway-7', 'suspect');
      expect(performance.now() - diedAt).toBeLessThan(2_000);
      await verdict('gateway-7', 'down');
      const second = new HeartbeatPublisher(
        { service: 'gateway', id: 'gateway-7', instance: 'another-process' },
        new LoadMeter({ inFlight: () => 0, requestsTotal: () => 0 }),
        heartbeatSink(link, CLUSTER, { service: 'gateway', member: 'gateway-7' }),
        () => true,
      );
      second.start();
      await verdict('gateway-7', 'alive');
      second.stop();
      await registration.stop();
      await verdict('gateway-7', undefined);
    },
    TIMEOUT_MS,
  );

  it(
    'registers itself, tells when it is ready, and leaves the registry when it stops',
    async () => {
      await start();
      const isRegistered = async (): Promise<boolean> => {
        const { items } = await client.range({ key: memberKey('failure-detector', DETECTOR) });
        return items.length === 1;
      };
      await until('the registration', isRegistered, WAIT);
      const readiness = async (): Promise<number> =>
        (await fetch(`http://${detector?.address}/readyz`)).status;
      await until('readiness', async () => (await readiness()) === 200, WAIT);
      const metrics = async (): Promise<string> =>
        (await fetch(`http://${detector?.address}/metrics`)).text();
      const counted = 'ringleader_detector_members{verdict="alive"';
      await until(
        'the first judgement in the metrics',
        async () => (await metrics()).includes(counted),
        WAIT,
      );
      await detector?.stop();
      detector = null;
      expect(await isRegistered()).toBe(false);
    },
    TIMEOUT_MS,
  );

  it(
    'reports four times a second, counting up',
    async () => {
      await start();
      beat('shard', 'shard-9');
      await verdict('shard-9', 'alive');
      const from = reports.length;
      const startedAt = performance.now();
      await until('ten reports', () => reports.length >= from + 10, WAIT);
      const elapsedMs = performance.now() - startedAt;
      expect(elapsedMs).toBeGreaterThan(1_500);
      const sequences = reports.map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.map((_, i) => (sequences[0] ?? 0) + i));
    },
    TIMEOUT_MS,
  );

  it(
    'blames nobody for a nats-server that stops and goes on',
    async () => {
      await start();
      beat('shard', 'shard-8');
      await verdict('shard-8', 'alive');
      const before = reports.length;
      nats.pause();
      const pausedAt = performance.now();
      await until('the pause to last', () => performance.now() - pausedAt > 3_000, WAIT);
      nats.resume();
      await until('reports to come again', () => reports.length >= before + 8, WAIT);
      const verdicts = reports
        .slice(before)
        .flatMap(({ members }) => members.filter(({ id }) => id === 'shard-8'));
      expect(new Set(verdicts.map((one) => one.verdict))).toEqual(new Set(['alive']));
    },
    TIMEOUT_MS,
  );

  it(
    'ends at SIGTERM with code 0 also while NATS is away, and says what it waits for',
    async () => {
      const env = { ...environment(), RINGLEADER_NATS_URL: `nats://127.0.0.1:${await freePort()}` };
      const child = await startProcess('failure-detector', env);
      cleanups.push(async () => void (await child.stop('SIGKILL', 0)));
      const log = (): Promise<string> => readFile(child.logFile, 'utf8');
      await until('the reason', async () => (await log()).includes('NATS cannot be reached'), WAIT);
      expect(await child.stop('SIGTERM', 5_000)).toEqual({ code: 0, signal: null });
    },
    TIMEOUT_MS,
  );

  it(
    'ends within five seconds of SIGTERM, with code 0',
    async () => {
      const child = await startProcess('failure-detector', environment());
      cleanups.push(async () => void (await child.stop('SIGKILL', 0)));
      await until('reports', () => reports.length > 0, WAIT);
      expect(await child.stop('SIGTERM', 5_000)).toEqual({ code: 0, signal: null });
    },
    TIMEOUT_MS,
  );
});
