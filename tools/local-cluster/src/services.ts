import { freePorts, natsPasswordFile, portIsFree, StartError } from '@ringleader/server-processes';
import { join } from 'node:path';
import { coordinatorSeats, type Layout } from './layout.js';

/** In the order of their stop: users first, so that they are refused rather than cut off; the databases and the transport last. */
export const SERVICES = [
  'gateway',
  'shard',
  'failure-detector',
  'coordinator',
  'postgres',
  'nats-server',
] as const;
export type Service = (typeof SERVICES)[number];

type MemberService = Exclude<Service, 'postgres' | 'nats-server'>;

/** As `tools/bootstrap/start-options.mjs` reads them. */
export interface ClusterOptions {
  readonly shards: number;
  readonly gateways: number;
  readonly nats: number;
  readonly coordinators: number;
  /** Of the first gateway; the others take the ports after it. 0: free ones. */
  readonly port: number;
  /** Undefined: the default folder. */
  readonly data?: string;
  readonly ephemeral: boolean;
  /** In how many seconds the cluster has to become healthy. */
  readonly timeout: number;
}

/** One Node process of the cluster: which, and with what environment. */
export interface ServicePlan {
  readonly service: Service;
  readonly member: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The name of a cluster on this machine. */
export const CLUSTER = 'local';

const FAILURE_DETECTORS = 3;
export const COORDINATORS_MAX = 9;

export interface ClusterPorts {
  readonly gateways: readonly number[];
  readonly nats: readonly number[];
  /** Where nats-servers hear each other, if there are several. */
  readonly natsRoutes: readonly number[];
  /** Of every service. */
  readonly probes: readonly number[];
}

async function gatewayPorts({ port, gateways }: ClusterOptions): Promise<number[]> {
  if (port === 0) return freePorts(gateways);
  const ports = numbers(gateways).map((i) => port + i - 1);
  for (const wanted of ports) {
    if (await portIsFree(wanted)) continue;
    const reserved = wanted < 1024 && process.getuid?.() !== 0;
    const reason = reserved
      ? 'is taken, or reserved for the administrator: choose another'
      : 'is taken: stop the program that listens there, or choose another';
    throw new StartError(`Port ${wanted} ${reason} with --port.`);
  }
  return ports;
}

export async function choosePorts(options: ClusterOptions): Promise<ClusterPorts> {
  const gateways = await gatewayPorts(options);
  return {
    gateways,
    nats: await freePorts(options.nats),
    natsRoutes: await freePorts(options.nats),
    probes: await freePorts(COORDINATORS_MAX + options.shards + options.gateways + FAILURE_DETECTORS),
  };
}

export const natsUrlOf = ({ nats }: ClusterPorts): string =>
  nats.map((port) => `nats://127.0.0.1:${port}`).join();

/** Where the passwords lie that services identify themselves with: a file for each. */
export const natsPasswordFolder = (dataFolder: string): string => join(dataFolder, 'nats-passwords');

export interface ClusterPlan {
  readonly dataFolder: string;
  readonly layout: Layout;
  readonly ports: ClusterPorts;
  /** By shard, from the first. */
  readonly postgresUrls: readonly string[];
}

/** From 1 on. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

type Place = Pick<ClusterPlan, 'dataFolder' | 'ports'>;

function memberPlan(
  { dataFolder, ports }: Place,
  { name, index, port }: { readonly name: MemberService; readonly index: number; readonly port: number },
  env: Readonly<Record<string, string>>,
): ServicePlan {
  const member = `${name}-${index}`;
  const common = {
    RINGLEADER_CLUSTER: CLUSTER,
    RINGLEADER_NATS_URL: natsUrlOf(ports),
    RINGLEADER_NATS_USER: name,
    RINGLEADER_NATS_PASSWORD_FILE: natsPasswordFile(natsPasswordFolder(dataFolder), name),
    RINGLEADER_MEMBER: member,
    RINGLEADER_PROBE_PORT: String(port),
  };
  return { service: name, member, port, env: { ...common, ...env } };
}

export const coordinatorFolder = (dataFolder: string, seat: number): string =>
  join(dataFolder, `coordinator-${seat}`);

function coordinatorEnvironment(dataFolder: string, layout: Layout, seat: number): Record<string, string> {
  const isJoining = layout.joined?.includes(seat) === true;
  const bootstrap = isJoining ? 'join' : layout.isFounded === true ? undefined : 'new-cluster';
  return {
    RINGLEADER_COORDINATOR_ID: String(seat),
    RINGLEADER_COORDINATOR_COUNT: String(layout.coordinators),
    RINGLEADER_DATA_DIR: coordinatorFolder(dataFolder, seat),
    RINGLEADER_INITIAL_SHARDS: String(layout.initialShards),
    ...(bootstrap !== undefined && { RINGLEADER_BOOTSTRAP: bootstrap }),
  };
}

/** Of a coordinator that is added while the cluster runs, on a port of its own. */
export async function planCoordinator(place: Place, layout: Layout, seat: number): Promise<ServicePlan> {
  const [port = 0] = await freePorts(1);
  const environment = coordinatorEnvironment(place.dataFolder, layout, seat);
  return memberPlan(place, { name: 'coordinator', index: seat, port }, environment);
}

/** The environment of every process; what the variables mean stands in each app's `*.config.ts`. */
export function planServices({ dataFolder, layout, ports, postgresUrls }: ClusterPlan): ServicePlan[] {
  const probes = ports.probes[Symbol.iterator]();
  const place = { dataFolder, ports };
  const service = (name: MemberService, index: number, env: Record<string, string>): ServicePlan =>
    memberPlan(place, { name, index, port: probes.next().value ?? 0 }, env);
  return [
    ...coordinatorSeats(layout).map((seat) =>
      service('coordinator', seat, coordinatorEnvironment(dataFolder, layout, seat)),
    ),
    ...postgresUrls.map((url, i) => service('shard', i + 1, { RINGLEADER_POSTGRES_URL: url })),
    ...ports.gateways.map((port, i) => ({
      ...service('gateway', i + 1, { RINGLEADER_HTTP_HOST: '127.0.0.1', RINGLEADER_HTTP_PORT: String(port) }),
      port,
    })),
    ...numbers(FAILURE_DETECTORS).map((index) => service('failure-detector', index, {})),
  ];
}
