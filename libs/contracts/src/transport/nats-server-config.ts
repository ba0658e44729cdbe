/**
 * The configuration file of a nats-server for one cluster: a user for each service, with what that service may say and
 * hear, and nobody else. Used by `npm start`, by tests, and on Kubernetes.
 */
import { SERVICES } from '../metadata/cluster-metadata.js';
import type { Service } from '../metadata/cluster-metadata.js';
import { permissionsOf } from './permissions.js';

/** Frames of the data path stay below 4 MiB; the limit leaves room for twice that. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
const MAX_PENDING_BYTES = 256 * 1024 * 1024;

export type NatsCredential =
  | { readonly kind: 'password'; readonly password: string }
  /** The public key: the server holds no secret. */
  | { readonly kind: 'nkey'; readonly publicKey: string };

export interface NatsServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Given: clients must show a certificate of this authority. */
  readonly caFile?: string;
}

/** One server of several. */
export interface NatsRoutes {
  /** The same for all servers. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** host:port of the others, or of all: a server leaves itself out. */
  readonly servers: readonly string[];
  /**
   * The servers' own user. A rogue server could otherwise forge messages past all permissions of clients, so routes
   * without authentication do not exist here.
   */
  readonly user: string;
  readonly password: string;
  /** False where clients cannot reach the addresses that the servers know each other by (pods): they are not told then. */
  readonly advertise: boolean;
}

export interface NatsServerConfig {
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  /** Null: anybody may do anything. For tests only. */
  readonly access: {
    /** The cluster's name in all subjects. */
    readonly cluster: string;
    readonly users: Readonly<Record<Service, NatsCredential>>;
  } | null;
  readonly routes?: NatsRoutes;
  readonly tls?: NatsServerTls;
  /** For /healthz, on the same host. */
  readonly monitoringPort?: number;
}

/** Throws on text that would need escapes: all of it is generated. */
const quoted = (text: string): string => {
  if (/["\\\n$]/.test(text)) throw new RangeError('a value of the nats-server configuration needs escapes');
  return `"${text}"`;
};

export function natsServerConfig(config: NatsServerConfig): string {
  const { serverName, host, port, access, routes, tls, monitoringPort } = config;
  return [
    `server_name: ${quoted(serverName)}`,
    `host: ${quoted(host)}`,
    `port: ${port}`,
    ...(monitoringPort === undefined ? [] : [`http: ${quoted(`${host}:${monitoringPort}`)}`]),
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `max_pending: ${MAX_PENDING_BYTES}`,
    'logtime: true',
    ...(tls === undefined ? [] : tlsBlock(tls)),
    ...(access === null ? [] : usersBlock(access.cluster, access.users)),
    ...(routes === undefined ? [] : clusterBlock(routes)),
    '',
  ].join('\n');
}

function tlsBlock({ certFile, keyFile, caFile }: NatsServerTls): string[] {
  return [
    'tls {',
    `  cert_file: ${quoted(certFile)}`,
    `  key_file: ${quoted(keyFile)}`,
    ...(caFile === undefined ? [] : [`  ca_file: ${quoted(caFile)}`, '  verify: true']),
    '}',
  ];
}

function usersBlock(cluster: string, users: Readonly<Record<Service, NatsCredential>>): string[] {
  return [
    'authorization {',
    '  timeout: 5',
    '  users: [',
    ...SERVICES.flatMap((service) => userBlock(cluster, service, users[service])),
    '  ]',
    '}',
  ];
}

function userBlock(cluster: string, service: Service, credential: NatsCredential): string[] {
  const { publish, subscribe } = permissionsOf(cluster, service);
  const list = (name: string, patterns: readonly string[]): string[] => [
    `        ${name}: { allow: [`,
    ...patterns.map((pattern) => `          ${quoted(pattern)}`),
    '        ] }',
  ];
  return [
    '    {',
    ...identity(service, credential),
    '      permissions: {',
    ...list('publish', publish),
    ...list('subscribe', subscribe),
    '      }',
    '    }',
  ];
}

function identity(service: Service, credential: NatsCredential): string[] {
  if (credential.kind === 'nkey')
    return [`      # ${service}`, `      nkey: ${quoted(credential.publicKey)}`];
  return [`      user: ${quoted(service)}`, `      password: ${quoted(credential.password)}`];
}

function clusterBlock({ name, host, port, servers, user, password, advertise }: NatsRoutes): string[] {
  return [
    'cluster {',
    `  name: ${quoted(name)}`,
    `  host: ${quoted(host)}`,
    `  port: ${port}`,
    `  no_advertise: ${!advertise}`,
    '  authorization {',
    `    user: ${quoted(user)}`,
    `    password: ${quoted(password)}`,
    '    timeout: 5',
    '  }',
    '  routes: [',
    ...servers.map((server) => `    ${quoted(`nats-route://${user}:${password}@${server}`)}`),
    '  ]',
    '}',
  ];
}
