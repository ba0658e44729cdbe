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
/** The server's own two seconds are short where many processes start on few processors. */
const HANDSHAKE_SECONDS = 5;

export type NatsCredential =
  | { readonly kind: 'password'; readonly password: string }
  /** The public key: the server holds no secret. */
  | {
      readonly kind: 'nkey';
      readonly publicKey: string;
      /** Of the same user: while one key takes the place of another. */
      readonly also?: readonly string[];
    };

export interface NatsServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Given: clients must show a certificate of this authority. */
  readonly caFile?: string;
}

/** Between servers both sides always show a certificate of the authority. */
export type NatsRouteTls = Required<NatsServerTls>;

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
  /** The names or addresses in `servers` stand in the certificates, which are for servers and for clients. */
  readonly tls?: NatsRouteTls;
  /** Servers are taken without the password, by their certificates: while one password takes the place of another. */
  readonly isPasswordOptional?: boolean;
}

export interface NatsServerConfig {
  /** Or an environment variable of the server that has it: several servers may share one file then. */
  readonly serverName: string | { readonly variable: string };
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
  /**
   * Told to stop by `nats-server --signal ldm`, it lets go of its clients within half a minute (the least that it takes), some at a time,
   * so that not all of them meet the other servers at once.
   */
  readonly lameDuck?: true;
}

/** Throws on text that would need escapes: all of it is generated. */
const quoted = (text: string): string => {
  if (/["\\\n$]/.test(text)) throw new RangeError('a value of the nats-server configuration needs escapes');
  return `"${text}"`;
};

function fromEnvironment(variable: string): string {
  if (!/^[A-Z][A-Z0-9_]*$/.test(variable)) throw new RangeError('that is no name of an environment variable');
  return `$${variable}`;
}

export function natsServerConfig(config: NatsServerConfig): string {
  const { serverName, host, port, access, routes, tls, monitoringPort, lameDuck } = config;
  return [
    `server_name: ${typeof serverName === 'string' ? quoted(serverName) : fromEnvironment(serverName.variable)}`,
    `host: ${quoted(host)}`,
    `port: ${port}`,
    ...(monitoringPort === undefined ? [] : [`http: ${quoted(`${host}:${monitoringPort}`)}`]),
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `max_pending: ${MAX_PENDING_BYTES}`,
    'logtime: true',
    ...(lameDuck === true ? ['lame_duck_grace_period: "5s"', 'lame_duck_duration: "30s"'] : []),
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
    `  timeout: ${HANDSHAKE_SECONDS}`,
    '}',
  ];
}

function usersBlock(cluster: string, users: Readonly<Record<Service, NatsCredential>>): string[] {
  return [
    'authorization {',
    '  timeout: 5',
    '  users: [',
    ...SERVICES.flatMap((service) =>
      oneByOne(users[service]).flatMap((credential) => userBlock(cluster, service, credential)),
    ),
    '  ]',
    '}',
  ];
}

function oneByOne(credential: NatsCredential): readonly NatsCredential[] {
  if (credential.kind !== 'nkey') return [credential];
  return [credential.publicKey, ...(credential.also ?? [])].map((publicKey) => ({ kind: 'nkey', publicKey }));
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

const routesUser = (user: string, password: string): string[] => [
  '  authorization {',
  `    user: ${quoted(user)}`,
  `    password: ${quoted(password)}`,
  '    timeout: 5',
  '  }',
];

function clusterBlock(routes: NatsRoutes): string[] {
  const { name, host, port, servers, user, password, advertise, tls } = routes;
  const isPasswordOptional = routes.isPasswordOptional === true;
  if (isPasswordOptional && tls === undefined) throw new RangeError('routes without authentication');
  return [
    'cluster {',
    `  name: ${quoted(name)}`,
    `  host: ${quoted(host)}`,
    `  port: ${port}`,
    `  no_advertise: ${!advertise}`,
    ...(isPasswordOptional ? [] : routesUser(user, password)),
    ...(tls === undefined ? [] : tlsBlock(tls).map((line) => `  ${line}`)),
    '  routes: [',
    ...servers.map((server) => `    ${quoted(`nats-route://${user}:${password}@${server}`)}`),
    '  ]',
    '}',
  ];
}
