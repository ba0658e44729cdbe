import { heapFlags, memoryBytes } from '@ringleader/config';
import { MALLOC_ARENAS } from '@ringleader/config/process-memory';
import {
  localNatsServer,
  localPostgres,
  locateNatsServer,
  natsPasswords,
  startChild,
  StartError,
} from '@ringleader/server-processes';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFolder } from './data-folder.js';
import {
  CLUSTER,
  natsPasswordFolder,
  type ClusterPorts,
  type Service,
  type ServicePlan,
} from './services.js';
import type { Program } from './supervisor.js';

/** Of services on one's own machine: requests with the default deadline still end by themselves. */
const STOP_WITHIN_MS = 7_000;
/** A service that is told to end within a time is believed so much longer. */
const GRACE_MS = 1_000;

/** What fits a laptop; RINGLEADER_MEMORY_MIB goes before it, for all alike. */
const MEMORY_MIB: Partial<Record<Service, string>> = {
  shard: '512',
  gateway: '512',
  coordinator: '256',
  'failure-detector': '224',
};

export interface Surroundings {
  /** The checkout: its built services and its tools. */
  readonly root: string;
  readonly folder: DataFolder;
  /** Of this process; services get only what they need of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const placeOf = ({ folder }: Surroundings, name: string, dir = name) => ({
  name,
  dir: join(folder.path, dir),
  logFile: join(folder.logs, `${name}.log`),
});

/** The nats-servers, one or a cluster; the program is sought, and perhaps downloaded, once for all of them. */
export function natsPrograms(
  surroundings: Surroundings,
  { nats, natsRoutes }: ClusterPorts,
): readonly (() => Promise<Program>)[] {
  const { root, environment, folder } = surroundings;
  const passwords = natsPasswords(natsPasswordFolder(folder.path));
  const located = locateNatsServer({ searchPath: environment['PATH'], toolsDir: join(root, '.tools') });
  return nats.map((port, i) => async () => {
    const { users, routes } = await passwords;
    const isAlone = nats.length === 1;
    const place = isAlone
      ? placeOf(surroundings, 'nats-server', 'nats')
      : placeOf(surroundings, `nats-server-${i + 1}`);
    const servers = natsRoutes.map((other) => `127.0.0.1:${other}`);
    // Every process has the whole list of servers.
    const own = { name: CLUSTER, host: '127.0.0.1', port: natsRoutes[i] ?? 0, advertise: false };
    const others = isAlone ? {} : { routes: { ...routes, ...own, servers } };
    const options = { ...place, port, access: { cluster: CLUSTER, users }, ...others };
    return { ...(await localNatsServer(await located, options)), service: 'nats-server' };
  });
}

export async function postgresProgram(surroundings: Surroundings, index: number): Promise<Program> {
  return { ...(await localPostgres(placeOf(surroundings, `postgres-${index}`))), service: 'postgres' };
}

/** What a service sees of the starter's environment: how to find programs, and settings of Ringleader's own. */
function inherited(environment: Surroundings['environment']): Record<string, string | undefined> {
  const names = Object.keys(environment).filter((name) => name.startsWith('RINGLEADER_'));
  return Object.fromEntries(['PATH', 'HOME', 'TZ', ...names].map((name) => [name, environment[name]]));
}

export async function serviceProgram(surroundings: Surroundings, plan: ServicePlan): Promise<Program> {
  const { service, member, port } = plan;
  const { root, environment } = surroundings;
  const { logFile } = placeOf(surroundings, member);
  const script = join(root, 'apps', service, 'dist', 'main.js');
  if (!existsSync(script))
    throw new StartError(`${script} is missing: build the services first (npm start does).`);
  const dataDir = plan.env['RINGLEADER_DATA_DIR'];
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const stopWithin = environment['RINGLEADER_STOP_WITHIN_MS'] || String(STOP_WITHIN_MS);
  const env = {
    RINGLEADER_MEMORY_MIB: MEMORY_MIB[service],
    ...MALLOC_ARENAS,
    ...inherited(environment),
    RINGLEADER_STOP_WITHIN_MS: stopWithin,
    ...plan.env,
  };
  const args = [...heapFlags(memoryBytes(env)), script];
  return {
    service,
    name: member,
    port,
    url: `http://127.0.0.1:${port}`,
    logFile,
    launch: () => {
      const command = { command: process.execPath, args, env, cwd: root };
      const graceMs = Number(stopWithin) + GRACE_MS;
      return startChild({ name: member, ...command, logFile, orphaned: 'lifeline', graceMs });
    },
  };
}
