/** How each process of a cluster is launched. */
import { heapFlags, memoryBytes } from '@ringleader/config';
import { MALLOC_ARENAS } from '@ringleader/config/process-memory';
import {
  databaseVersion,
  freePort,
  freePorts,
  localNatsServer,
  localPostgres,
  locateNatsServer,
  majorOf,
  natsPasswords,
  natsSeeds,
  portIsFree,
  startChild,
  StartError,
  type PostgresPrograms,
} from '@ringleader/server-processes';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CLUSTER,
  natsPasswordFolder,
  numbers,
  postgresName,
  type ClusterOptions,
  type ServicePlan,
  type Site,
} from './services.js';
import type { Program } from './supervisor.js';

/** Of services on one's own machine: requests with the default deadline still end by themselves. */
const STOP_WITHIN_MS = 7_000;
/** A service that is told to end within a time is believed so much longer. */
const GRACE_MS = 1_000;

/** What fits a laptop; RINGLEADER_MEMORY_MIB goes before it, for all alike. */
const MEMORY_MIB: Readonly<Record<ServicePlan['service'], string>> = {
  shard: '512',
  gateway: '512',
  coordinator: '256',
  'failure-detector': '224',
};

const placeOf = ({ folder }: Pick<Site, 'folder'>, name: string, dir = name) => ({
  name,
  dir: join(folder.path, dir),
  logFile: join(folder.logs, `${name}.log`),
});

/** Where gateways are to listen; found out before anything is started. */
export async function gatewayPorts({ port, gateways }: ClusterOptions): Promise<number[]> {
  if (port === 0) return freePorts(gateways);
  const ports = numbers(gateways).map((i) => port + i - 1);
  for (const wanted of ports) {
    if (await portIsFree(wanted)) continue;
    const isReserved = wanted < 1024 && process.getuid?.() !== 0;
    const why = isReserved
      ? ', or reserved for the administrator:'
      : ': stop the program that listens there, or';
    throw new StartError(`Port ${wanted} is taken${why} choose another with --port.`);
  }
  return ports;
}

/** The nats-servers, one or a cluster; the program is sought, and perhaps downloaded, once for all of them. */
export async function natsPrograms(site: Site, count: number): Promise<Program[]> {
  const { root, environment, folder, security } = site;
  const { users, routes } = await (security === null
    ? natsPasswords(natsPasswordFolder(folder.path))
    : natsSeeds(security.seeds));
  const toolsDir = join(root, '.tools');
  const program = await locateNatsServer({ searchPath: environment['PATH'], toolsDir });
  const tls = security && { tls: security.nats };
  const common = { access: { cluster: CLUSTER, users }, ...tls };
  const server = async (place: ReturnType<typeof placeOf>, others = {}): Promise<Program> => {
    const options = { ...place, ...common, ...others, port: await freePort() };
    return { ...(await localNatsServer(program, options)), service: 'nats-server' };
  };
  if (count === 1) return [await server(placeOf(site, 'nats-server', 'nats'))];
  const ports = await freePorts(count);
  // Every process has the whole list of servers: none learns of another from a third.
  const servers = ports.map((port) => `127.0.0.1:${port}`);
  const mutual = security && { tls: { ...security.nats, caFile: security.caFile } };
  const cluster = { ...routes, ...mutual, name: CLUSTER, host: '127.0.0.1', advertise: false, servers };
  const starting = ports.map((port, i) =>
    server(placeOf(site, `nats-server-${i + 1}`), { routes: { ...cluster, port } }),
  );
  return Promise.all(starting);
}

/**
 * Refuses databases that these programs cannot run on: before anything is started, and without touching them. (What is wrong with a
 * file that names no version PostgreSQL itself says best.)
 */
export function refuseOtherVersions(
  folder: string,
  shards: readonly { readonly index: number }[],
  { version, folder: given }: PostgresPrograms,
): void {
  for (const { index } of shards) {
    const dir = join(folder, postgresName(index));
    const made = databaseVersion(dir) ?? '';
    if (!/^\d/.test(made) || made === String(majorOf(version))) continue;
    const [ours, otherwise] =
      given === undefined
        ? ['the one that npm brings', '']
        : [`the one in ${given}`, ", or leave --postgres out if npm's made it"];
    const why = `The database of shard-${index} in ${dir} was made by PostgreSQL ${made}, and ${ours} is ${version}`;
    const advice = `name the folder of PostgreSQL ${made}'s programs with --postgres${otherwise}`;
    throw new StartError(`${why}: ${advice}.`);
  }
}

export async function postgresProgram(site: Site, index: number): Promise<Program> {
  const place = placeOf(site, postgresName(index));
  return { ...(await localPostgres({ ...place, programs: site.postgres })), service: 'postgres' };
}

/** What a service sees of the starter's environment: how to find programs, and settings of Ringleader's own. */
function inherited(environment: Site['environment']): Record<string, string | undefined> {
  const names = Object.keys(environment).filter((name) => name.startsWith('RINGLEADER_'));
  return Object.fromEntries(['PATH', 'HOME', 'TZ', ...names].map((name) => [name, environment[name]]));
}

export async function serviceProgram(
  site: Pick<Site, 'root' | 'environment' | 'folder'>,
  plan: ServicePlan,
): Promise<Program> {
  const { service, member } = plan;
  const { root, environment } = site;
  const { logFile } = placeOf(site, member);
  const script = join(root, 'apps', service, 'dist', 'main.js');
  if (!existsSync(script))
    throw new StartError(`${script} is missing: build the services first (npm start does).`);
  const dataDir = plan.env['RINGLEADER_DATA_DIR'];
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const stopWithin = environment['RINGLEADER_STOP_WITHIN_MS'] || String(STOP_WITHIN_MS);
  const probes = await freePort();
  const env = {
    RINGLEADER_MEMORY_MIB: MEMORY_MIB[service],
    ...MALLOC_ARENAS,
    // V8 need not compile what it has compiled at an earlier start: a sixth of what the start of a service takes.
    NODE_COMPILE_CACHE: join(root, '.tools', 'compile-cache'),
    ...inherited(environment),
    RINGLEADER_STOP_WITHIN_MS: stopWithin,
    RINGLEADER_PROBE_PORT: String(probes),
    ...plan.env,
  };
  const args = [...heapFlags(memoryBytes(env)), script];
  const spec = { name: member, command: process.execPath, args, env, cwd: root, logFile };
  const graceMs = Number(stopWithin) + GRACE_MS;
  const port = plan.port ?? probes;
  const isEncrypted = plan.env['RINGLEADER_HTTP_TLS_CERT_FILE'] !== undefined;
  return {
    service,
    name: member,
    port,
    url: `${isEncrypted ? 'https' : 'http'}://127.0.0.1:${port}`,
    logFile,
    launch: () => startChild({ ...spec, orphaned: 'lifeline', graceMs }),
  };
}
