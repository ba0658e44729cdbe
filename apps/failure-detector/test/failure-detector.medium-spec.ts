/** A real detector on a real nats-server and a real coordinator; the other members are heartbeats that the test sends. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import {
  memberKey,
  pingSchema,
  subjects,
  verdictKey,
  verdictRecordSchema,
  verdictReportSchema,
} from '@ringleader/contracts';
import type { Member, Service, Verdict, VerdictRecord, VerdictReport } from '@ringleader/contracts';
import { CoordinationClient, MemberRegistration, parseMetadata } from '@ringleader/coordination';
import { UNLOGGED, connectNats, heartbeatSink, subscribeJson } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter, createLogger, systemClock } from '@ringleader/observability';
import { Health, SignsOfLife, startService } from '@ringleader/service-host';
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
      RINGLEADER_FAILURE_DETECTORS: '1',
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
  function beat(service: Service, id: string, incarnation?: number): { stop(): void } {
    const meter = new LoadMeter({ inFlight: () => 0, requestsTotal: () => 0 });
    const identity = { service, id, instance: `${id}-process` };
    const publisher = new HeartbeatPublisher(
      identity,
      meter,
      heartbeatSink(link, CLUSTER, { service, member: id }),
      () => ({ ready: true, incarnation }),
    );
    publisher.start();
    cleanups.push(() => publisher.stop());
    return publisher;
  }

  /** It beats, answers pings, and pings for others. */
  function wholeMember(service: Service, id: string): void {
    const identity = { cluster: CLUSTER, service, id, instance: `${id}-process` };
    const self = { ...identity, startedAt: '', address: '' };
    const signs = new SignsOfLife(self, link, new Health());
    signs.start();
    cleanups.push(() => signs.stop());
  }

  /** Answers pings of this gateway only, and remembers whose there were. */
  function answerPings(id: string, asker: string) {
    const seen = { from: new Set<string>(), suspectedAt: new Set<number>(), isAnswering: true };
    const ping = {
      name: 'ping',
      subject: subjects.ping.to(CLUSTER, 'gateway', id),
      schema: pingSchema,
    } as const;
    const subscription = subscribeJson(link, ping, ({ nonce, suspectedAt }, { member }) => {
      seen.from.add(String(member));
      if (suspectedAt !== undefined) seen.suspectedAt.add(suspectedAt);
      if (member !== asker || !seen.isAnswering) return true;
      const subject = subjects.pong.from(CLUSTER, { service: 'gateway', member: id }, 'gateway', asker);
      return link.publish(subject, JSON.stringify({ nonce, instance: `${id}-process`, incarnation: 1 }));
    });
    cleanups.push(() => subscription.unsubscribe());
    return seen;
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

  /** What the coordinators say of it. */
  async function record(id: string): Promise<VerdictRecord | null> {
    const { items } = await client.range({ key: verdictKey('gateway', id) });
    return items[0] === undefined ? null : parseMetadata(verdictRecordSchema, items[0]);
  }
  const recorded = (id: string, expected: Verdict | undefined): Promise<void> =>
    until(
      `the coordinators to hold ${id} ${expected ?? 'for nobody'}`,
      async () => (await record(id))?.verdict === expected,
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
      await recorded('gateway-7', 'down');
      const [vote] = (await record('gateway-7'))?.votes ?? [];
      expect(vote).toMatchObject({ detector: DETECTOR, verdict: 'down', incarnation: null });
      expect(vote?.probes).toEqual([{ by: DETECTOR, outcome: 'notAsked' }]);
      const second = new HeartbeatPublisher(
        { service: 'gateway', id: 'gateway-7', instance: 'another-process' },
        new LoadMeter({ inFlight: () => 0, requestsTotal: () => 0 }),
        heartbeatSink(link, CLUSTER, { service: 'gateway', member: 'gateway-7' }),
        () => ({ ready: true }),
      );
      second.start();
      await verdict('gateway-7', 'alive');
      second.stop();
      await recorded('gateway-7', 'alive');
      await registration.stop();
      await verdict('gateway-7', undefined);
      await recorded('gateway-7', undefined);
    },
    TIMEOUT_MS,
  );

  it(
    'takes a member for alive that answers only others, and tells it when it is suspected',
    async () => {
      await start();
      await register('gateway', 'gateway-6');
      wholeMember('gateway', 'gateway-5');
      const beats = beat('gateway', 'gateway-6', 1);
      const pings = answerPings('gateway-6', 'gateway-5');
      await verdict('gateway-5', 'alive');
      await verdict('gateway-6', 'alive');
      beats.stop();
      await until('pings by both', () => pings.from.has(DETECTOR) && pings.from.has('gateway-5'), WAIT);
      const from = reports.length;
      await until('eight reports', () => reports.length >= from + 8, WAIT);
      expect(lastVerdict('gateway-6')).toBe('alive');
      pings.isAnswering = false;
      await recorded('gateway-6', 'suspect');
      const [vote] = (await record('gateway-6'))?.votes ?? [];
      expect(vote?.probes.map(({ by, outcome }) => `${by} ${outcome}`).sort()).toEqual([
        'coordinator-1 silent',
        `${DETECTOR} silent`,
        'gateway-5 silent',
      ]);
      await until('the suspect to be told', () => pings.suspectedAt.has(1), WAIT);
      pings.isAnswering = true;
      await recorded('gateway-6', 'alive');
    },
    TIMEOUT_MS,
  );

  it(
    'raises the incarnation of who hears that it is suspected under it, once, and takes no answer from another',
    async () => {
      wholeMember('gateway', 'gateway-4');
      const asker = { cluster: CLUSTER, service: 'shard', id: 'shard-4', instance: 'i' } as const;
      const signs = new SignsOfLife({ ...asker, startedAt: '', address: '' }, link, new Health());
      signs.start();
      cleanups.push(() => signs.stop());
      const ping = async (suspectedAt?: number): Promise<number | undefined> => {
        const pong = await signs.ping(
          { service: 'gateway', id: 'gateway-4' },
          { withinMs: WAIT.timeoutMs, suspectedAt },
        );
        return pong?.incarnation;
      };
      expect([await ping(), await ping(7), await ping(1), await ping(1), await ping()]).toEqual([
        1, 1, 2, 2, 2,
      ]);
      const nobody = signs.ping({ service: 'gateway', id: 'gateway-3' }, { withinMs: 300 });
      const subject = subjects.pong.from(
        CLUSTER,
        { service: 'gateway', member: 'gateway-2' },
        'shard',
        'shard-4',
      );
      const forged = { instance: 'i', incarnation: 1 };
      for (let nonce = 1; nonce <= 9; nonce += 1) link.publish(subject, JSON.stringify({ ...forged, nonce }));
      expect(await nobody).toBeNull();
      expect(link.frames.refused.get('pong misattributed')).toBe(1);
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
