import type { LocalProcess } from '@ringleader/contracts';
import { natsPasswordFile, natsSeedFile, type PostgresPrograms } from '@ringleader/server-processes';
import { join } from 'node:path';
import { coordinatorSeats, shardsOf, type AddedShard, type Layout } from './layout.js';
import type { Security } from './security.js';

export type Service = LocalProcess['service'];

/** In the order of their stop: users first, so that they are refused rather than cut off; the databases and the transport last. */
export const SERVICES: readonly Service[] = [
  'gateway',
  'shard',
  'failure-detector',
  'coordinator',
  'postgres',
  'nats-server',
];

type MemberService = Exclude<Service, 'postgres' | 'nats-server'>;

/** As `tools/bootstrap/start-options.mjs` reads them. */
export interface ClusterOptions {
  readonly shards: number;
  readonly gateways: number;
  readonly nats: number;
  readonly coordinators: number;
  /** Of the first gateway; the others take the ports after it. 0: free ones. */
  readonly port: number;
  /** A whole path. Undefined: the default folder. */
  readonly data?: string;
  /** A whole path: the folder of PostgreSQL's programs. Undefined: those that npm brings. */
  readonly postgres?: string;
  readonly ephemeral: boolean;
  /** Encryption, keys and tokens everywhere. */
  readonly secure: boolean;
  /** In how many seconds the cluster has to become healthy. */
  readonly timeout: number;
}

/** One Node process of the cluster: which, and with what environment. */
export interface ServicePlan {
  readonly service: MemberService;
  readonly member: string;
  /** Of a gateway: every service has a port for probes besides. */
  readonly port?: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The name of a cluster on this machine. */
export const CLUSTER = 'local';

const FAILURE_DETECTORS = 3;
export const COORDINATORS_MAX = 9;
/** As `npm start` takes them. */
export const SHARDS_MAX = 64;

/** What is known before anything is started. */
export interface Site {
  /** The checkout: its built services and its tools. */
  readonly root: string;
  /** Of this process; services get only what they need of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: { readonly path: string; readonly logs: string };
  readonly postgres: PostgresPrograms;
  readonly gatewayPorts: readonly number[];
  /** Null: an open cluster. */
  readonly security: Security | null;
}

/** What services are told of each other and of the servers. */
export interface ClusterPlan extends Pick<Site, 'folder' | 'gatewayPorts' | 'security'> {
  readonly layout: Layout;
  readonly natsUrl: string;
  /** By the number of the shard. */
  readonly postgresUrls: ReadonlyMap<number, string>;
}

/** From 1 on. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** Where the passwords lie that services identify themselves with: a file for each. */
export const natsPasswordFolder = (dataFolder: string): string => join(dataFolder, 'nats-passwords');

export const postgresName = (index: number): string => `postgres-${index}`;

export const coordinatorFolder = (dataFolder: string, seat: number): string =>
  join(dataFolder, `coordinator-${seat}`);

/** Who a service is for nats-servers, and by whom it knows them. */
function natsIdentity(
  { folder, security }: ClusterPlan,
  service: MemberService,
): Readonly<Record<string, string>> {
  if (security === null) {
    return {
      RINGLEADER_NATS_USER: service,
      RINGLEADER_NATS_PASSWORD_FILE: natsPasswordFile(natsPasswordFolder(folder.path), service),
    };
  }
  return {
    RINGLEADER_NATS_NKEY_FILE: natsSeedFile(security.seeds, service),
    RINGLEADER_NATS_CA_FILE: security.caFile,
  };
}

function memberPlan(
  plan: ClusterPlan,
  service: MemberService,
  index: number,
  env: Readonly<Record<string, string>> = {},
): ServicePlan {
  const member = `${service}-${index}`;
  const common = {
    RINGLEADER_CLUSTER: CLUSTER,
    RINGLEADER_NATS_URL: plan.natsUrl,
    ...natsIdentity(plan, service),
    RINGLEADER_MEMBER: member,
  };
  return { service, member, env: { ...common, ...env } };
}

export function planCoordinator(plan: ClusterPlan, seat: number): ServicePlan {
  const { folder, layout } = plan;
  const founds = layout.isFounded === true ? undefined : 'new-cluster';
  const bootstrap = layout.joined?.includes(seat) === true ? 'join' : founds;
  return memberPlan(plan, 'coordinator', seat, {
    RINGLEADER_COORDINATOR_ID: String(seat),
    RINGLEADER_COORDINATOR_COUNT: String(layout.coordinators),
    RINGLEADER_DATA_DIR: coordinatorFolder(folder.path, seat),
    RINGLEADER_INITIAL_SHARDS: String(layout.initialShards),
    ...(bootstrap !== undefined && { RINGLEADER_BOOTSTRAP: bootstrap }),
  });
}

export function planShard(plan: ClusterPlan, { index, zone, weight }: AddedShard): ServicePlan {
  return memberPlan(plan, 'shard', index, {
    RINGLEADER_POSTGRES_URL: plan.postgresUrls.get(index) ?? '',
    ...(zone !== undefined && { RINGLEADER_ZONE: zone }),
    ...(weight !== undefined && { RINGLEADER_WEIGHT: String(weight) }),
  });
}

const securedGateway = ({ gateway, rootTokenFile }: Security): Readonly<Record<string, string>> => ({
  RINGLEADER_HTTP_TLS_CERT_FILE: gateway.certFile,
  RINGLEADER_HTTP_TLS_KEY_FILE: gateway.keyFile,
  RINGLEADER_AUTHENTICATION: 'tokens',
  RINGLEADER_ROOT_TOKEN_FILE: rootTokenFile,
});

/** The environment of every process; what the variables mean stands in each app's `*.config.ts`. */
export function planServices(plan: ClusterPlan): ServicePlan[] {
  const gateway = (port: number, i: number): ServicePlan => {
    const place = { RINGLEADER_HTTP_HOST: '127.0.0.1', RINGLEADER_HTTP_PORT: String(port) };
    const env = { ...place, ...(plan.security && securedGateway(plan.security)) };
    return { ...memberPlan(plan, 'gateway', i + 1, env), port };
  };
  return [
    ...coordinatorSeats(plan.layout).map((seat) => planCoordinator(plan, seat)),
    ...shardsOf(plan.layout).map((shard) => planShard(plan, shard)),
    ...plan.gatewayPorts.map(gateway),
    ...numbers(FAILURE_DETECTORS).map((index) => memberPlan(plan, 'failure-detector', index)),
  ];
}
