/**
 * Three coordinators on one nats-server with the permissions of a cluster: what `npm start` runs, without the services that
 * would load them besides.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heapFlags, memoryBytes } from '@ringleader/config';
import { inboxPrefix, type Service } from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import { connectNats, UNLOGGED } from '@ringleader/nats';
import {
  freePort,
  natsPasswordFile,
  natsPasswords,
  startChild,
  startNatsServer,
  until,
  workspaceRoot,
} from '@ringleader/testing-servers';
import type { Child, TestServer } from '@ringleader/testing-servers';
import type { MeasuredStore, WatchedRange } from './measured-store.js';

const CLUSTER = 'local';
const SEATS = [1, 2, 3];
const READY = { timeoutMs: 20_000, everyMs: 20 };
const STOP_GRACE_MS = 10_000;
/** The whole history of a run stays in it. */
const MEMORY = { RINGLEADER_MEMORY_MIB: '1024' };
const SPEAKER = { service: 'operator', member: 'benchmark' } as const;
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export interface GroupOptions {
  /** For each coordinator's Node. */
  readonly nodeFlags: readonly string[];
}

interface Place extends GroupOptions {
  readonly dir: string;
  readonly nats: TestServer;
}

const passwordsIn = (dir: string): string => join(dir, 'passwords');

export async function startCoordinators(options: GroupOptions): Promise<MeasuredStore> {
  const dir = await mkdtemp(join(tmpdir(), 'ringleader-coordinators-'));
  const { users } = await natsPasswords(passwordsIn(dir));
  const nats = await startNatsServer({ dir: join(dir, 'nats'), access: { cluster: CLUSTER, users } });
  const children = await Promise.all(SEATS.map((seat) => startCoordinator({ dir, nats, ...options }, seat)));
  const client = await connect({ dir, nats, ...options });
  const stop = async (): Promise<void> => {
    await client.close();
    await Promise.all(children.map((child) => child.stop('SIGTERM', STOP_GRACE_MS)));
    await nats.stop();
    await rm(dir, { recursive: true });
  };
  const isLed = async (): Promise<boolean> => ((await client.coordination.status(1))?.leader ?? 0) !== 0;
  await until('a leader of the coordinators', isLed, READY).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const pids = [...children, nats].map(({ pid }) => pid);
  return { ...client.store, name: 'ringleader', pids, carrierPid: nats.pid, stop };
}

async function startCoordinator({ dir, nats, nodeFlags }: Place, seat: number): Promise<Child> {
  const member = `coordinator-${seat}`;
  return startChild({
    name: member,
    command: process.execPath,
    args: [
      ...heapFlags(memoryBytes(MEMORY)),
      ...nodeFlags,
      join(workspaceRoot(), 'apps/coordinator/dist/main.js'),
    ],
    env: {
      RINGLEADER_CLUSTER: CLUSTER,
      RINGLEADER_NATS_URL: nats.url,
      RINGLEADER_NATS_USER: 'coordinator',
      RINGLEADER_NATS_PASSWORD_FILE: natsPasswordFile(passwordsIn(dir), 'coordinator'),
      RINGLEADER_MEMBER: member,
      RINGLEADER_PROBE_PORT: String(await freePort()),
      RINGLEADER_COORDINATOR_ID: String(seat),
      RINGLEADER_COORDINATOR_COUNT: String(SEATS.length),
      RINGLEADER_DATA_DIR: join(dir, member),
      RINGLEADER_BOOTSTRAP: 'new-cluster',
      ...MEMORY,
    },
    logFile: join(dir, `${member}.log`),
    orphaned: 'lifeline',
  });
}

interface Connected {
  readonly coordination: CoordinationClient;
  readonly store: Pick<MeasuredStore, 'put' | 'get' | 'watch'>;
  close(): Promise<void>;
}

async function connect({ dir, nats }: Place): Promise<Connected> {
  const service: Service = SPEAKER.service;
  const link = await connectNats(
    {
      servers: [nats.url],
      name: SPEAKER.member,
      inboxPrefix: inboxPrefix(CLUSTER, SPEAKER),
      identity: { kind: 'passwordFile', user: service, file: natsPasswordFile(passwordsIn(dir), service) },
    },
    UNLOGGED,
  );
  const coordination = new CoordinationClient({
    link,
    cluster: CLUSTER,
    speaker: SPEAKER,
    clock,
    members: SEATS,
  });
  const store = {
    put: async (key: string, value: string): Promise<void> => {
      await coordination.txn({ compare: [], success: [{ kind: 'put', key, value }], failure: [] });
    },
    get: async (key: string): Promise<void> => {
      await coordination.range({ key });
    },
    watch: (range: WatchedRange, onValues: (values: readonly string[]) => void) =>
      watch(coordination, range, onValues),
  };
  const close = async (): Promise<void> => {
    await coordination.close();
    await link.close();
  };
  return { coordination, store, close };
}

/** Resolves when the coordinator has it, and what is written from then on is told. */
async function watch(
  client: CoordinationClient,
  range: WatchedRange,
  onValues: (values: readonly string[]) => void,
): Promise<void> {
  const { revision } = await client.range({ key: range.key });
  const watched = Promise.withResolvers<void>();
  const handle = client.watch(
    { ...range, fromRevision: revision + 1 },
    {
      onEvents: (events) => onValues(events.map(({ item }) => Buffer.from(item.value).toString())),
      onProgress: () => watched.resolve(),
      onEnd: watched.reject,
    },
  );
  handle.requestProgress();
  await watched.promise;
}
