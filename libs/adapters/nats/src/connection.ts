/**
 * Connects a process to NATS, and keeps it connected: to another server of the list when one stops or goes silent.
 * NATS is transport only, so nothing waits here without a deadline of its own.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { PeerCertificate, SecureContext } from 'node:tls';
import {
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import type { ConnectionOptions, ReconnectToServerHandler } from '@nats-io/nats-core';
import type { Authenticator, NatsConnection } from '@nats-io/transport-node';
import { natsSettings } from '@ringleader/config';
import type { NatsConfig, NatsIdentity, NatsSettings, NatsTls } from '@ringleader/config';
import { OperationalError, inboxPrefix } from '@ringleader/contracts';
import type { Service, WireVersion } from '@ringleader/contracts';
import type { Understanding } from './frame-wire.js';
import type { Isolation } from './isolation.js';
import { refusalOfPayloads, toNatsError } from './nats-errors.js';
import { NatsLink, Refusals } from './nats-link.js';
import type { NatsLog } from './nats-link.js';
import { serverAddress } from './server-address.js';
import type { PingSettings } from './server-watch.js';

export interface NatsOptions extends Partial<NatsSettings> {
  readonly servers: readonly string[];
  /** Shown by nats-server's monitoring: the member's id. */
  readonly name: string;
  /** Where answers to this process go; absent: anywhere, for tests against a server without permissions. */
  readonly inboxPrefix?: string;
  /** Which of the process's connections this is: in logs and metrics. */
  readonly lane?: string;
  /**
   * A server that says nothing is given up after `intervalMs` times two more than `unansweredMax`, or one interval less: the
   * default notices a stopped server within 900 ms, and bears one that pauses for 600. A connection that carries bulk needs more: its pings wait behind the bulk.
   */
  readonly pings?: PingSettings;
  /** The server (host:port) that this connection should be at, where it can choose. */
  readonly preferredServer?: () => string | null;
  /** The highest that is spoken and understood: an older one than this version's, to be that older member. */
  readonly wireVersion?: WireVersion;
  /** What other members understand, where several connections learn it for each other. */
  readonly understood?: Map<string, Understanding>;
  /** Where several connections find out together whether they are alone. */
  readonly isolation?: Isolation;
  /** Ends the attempts to connect for the first time. */
  readonly signal?: AbortSignal;
}

/** What a member of the cluster needs of its configuration. */
export function memberNatsOptions(
  config: NatsConfig & { readonly RINGLEADER_CLUSTER: string; readonly RINGLEADER_MEMBER: string },
  service: Service,
): NatsOptions {
  const { RINGLEADER_CLUSTER: cluster, RINGLEADER_MEMBER: member } = config;
  return {
    ...natsSettings(config),
    name: member,
    inboxPrefix: inboxPrefix(cluster, { service, member }),
  };
}

const QUICK_PINGS = { intervalMs: 300, unansweredMax: 1 } as const;
/** The library's own pings, which cannot be turned off (server-watch.ts sends those that are needed). */
const LIBRARY_PINGS_MS = 3_600_000;
/** A server that is stopped still accepts connections, in its kernel: it just never speaks. */
const DIAL_TIMEOUT_MS = 1_000;
const RECONNECT_WAIT_MS = 200;
const RECONNECT_JITTER_MS = 100;
const FIRST_CONNECT_WAIT_MS = 250;
const FIRST_CONNECT_WAIT_MS_MAX = 2_000;
/** Of a process that is refused: each attempt is a line in the log of the server, and of nobody use meanwhile. */
const REFUSED_WAIT_MS_MAX = 10_000;

/**
 * Tries until a server answers, with a line in the log for each attempt. Where one says no (a wrong password, no encryption where it
 * is asked for, messages that are too small) it throws NATS_REFUSED: the process ends, until a person has mended that. With
 * `onRefusal: 'wait'` it tries on: files are read anew each time, and servers may learn of a new key a moment later than its owner.
 */
export async function connectNats(options: NatsOptions, log: NatsLog): Promise<NatsLink> {
  const { lane = 'control', servers, signal } = options;
  const refusals = new Refusals(options.onRefusal === 'wait');
  const connectionOptions = toConnectionOptions(options, refusals, (error) => {
    const { file } = error.details;
    log.warn({ lane, file, error }, 'A file for NATS cannot be used; what it held before is');
  });
  for (let attempt = 1, waitMs = FIRST_CONNECT_WAIT_MS; ; attempt += 1) {
    let connection: NatsConnection;
    try {
      connection = await connectKeepingAll(connectionOptions, options.preferredServer);
      await refuseSmall(connection);
    } catch (cause) {
      const error = toNatsError(cause, servers);
      const isRefused = error.code === 'NATS_REFUSED' && refusals.areBorne;
      if (!isRefused && error.code !== 'NATS_UNREACHABLE') throw error;
      const fields = { lane, attempt, servers, code: error.code, error };
      if (isRefused) log.error(fields, 'NATS refuses this process; trying again');
      else log.warn(fields, 'NATS cannot be reached; trying again');
      await pause(waitMs, undefined, signal === undefined ? {} : { signal });
      waitMs = Math.min(2 * waitMs, isRefused ? REFUSED_WAIT_MS_MAX : FIRST_CONNECT_WAIT_MS_MAX);
      continue;
    }
    refusals.none();
    const link = new NatsLink(lane, connection, log, { pings: QUICK_PINGS, ...options, refusals });
    log.info({ lane, server: link.server, attempt }, 'Connected to NATS');
    return link;
  }
}

async function refuseSmall(connection: NatsConnection): Promise<void> {
  const refusal = refusalOfPayloads(connection.getServer(), connection.info?.max_payload);
  if (refusal === null) return;
  await connection.close();
  throw refusal;
}

/**
 * The client forgets a server for ever that does not answer its first attempt, or whose name is not known yet: of three that
 * start together a process would be left with one. So it is given them once more, the one that answered first.
 */
async function connectKeepingAll(
  options: ConnectionOptions & { readonly servers: readonly string[] },
  preferredServer: () => string | null = () => null,
): Promise<NatsConnection> {
  const connection = await connect({ ...options, servers: [...options.servers] });
  const answered = connection.getServer();
  const preferred = options.servers.find((server) => server === preferredServer());
  if (answered === (preferred ?? options.servers[0])) return connection;
  await connection.close();
  const others = options.servers.filter((server) => server !== answered);
  const { reconnectToServer: choose = () => null } = options;
  let isFirst = true;
  return connect({
    ...options,
    servers: [answered, ...others],
    reconnectToServer: (pool, info) => {
      // The preferred one may be the one that does not answer, and would be forgotten now.
      if (!isFirst) return choose(pool, info);
      isFirst = false;
      return null;
    },
  });
}

function toConnectionOptions(
  options: NatsOptions,
  refusals: Refusals,
  report: Report,
): ConnectionOptions & { readonly servers: string[] } {
  const { servers, name, identity = { kind: 'anonymous' }, tls = null, discovery = true } = options;
  const authenticator = authenticatorOf(identity, report);
  const encryption = tls && encryptionOf(tls, servers, report);
  return {
    servers: servers.map(serverAddress),
    name,
    // Halves the client's cost: it would otherwise capture a stack trace for each publish.
    noAsyncTraces: true,
    // All who are given the same list meet at the same server: between two of them, each frame would pass twice.
    noRandomize: true,
    waitOnFirstConnect: false,
    timeout: DIAL_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => {
      const waitMs = RECONNECT_WAIT_MS + Math.random() * RECONNECT_JITTER_MS;
      return Math.min(waitMs * 2 ** refusals.count, REFUSED_WAIT_MS_MAX);
    },
    // Else it closes the connection for good when it was refused twice.
    ignoreAuthErrorAbort: refusals.areBorne,
    pingInterval: LIBRARY_PINGS_MS,
    ignoreClusterUpdates: !discovery,
    reconnectToServer: serverChoice(options.preferredServer),
    ...(authenticator === null ? {} : { authenticator }),
    // Given at all, the client refuses a server that does not encrypt.
    ...(encryption === null ? {} : { tls: encryption }),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
  };
}

/** Whatever the client does not know, it passes on to Node, as it is at each connect. */
function encryptionOf(tls: NatsTls, servers: readonly string[], report: Report) {
  const current = lastGood(() => readTls(tls), report);
  return {
    handshakeFirst: false,
    checkServerIdentity: identityCheck(servers),
    get secureContext(): SecureContext {
      return current();
    },
  };
}

/** What the client asks for where a URL names a server by its address. */
const NAMELESS = 'localhost';

/** A server that is known by its address has to have a certificate for one of the addresses that are known. */
function identityCheck(servers: readonly string[]) {
  const hosts = servers.map((server) => {
    const { hostname } = new URL(server.includes('://') ? server : `nats://${server}`);
    return hostname.replace(/^\[(.*)\]$/, '$1');
  });
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  return (asked: string, certificate: PeerCertificate): Error | undefined => {
    if (asked !== NAMELESS || hosts.includes(NAMELESS) || addresses.length === 0)
      return checkServerIdentity(asked, certificate);
    const refusals = addresses.map((address) => checkServerIdentity(address, certificate));
    return refusals.includes(undefined) ? undefined : refusals[0];
  };
}

/**
 * The one that was dialled longest ago: the one just lost comes last, where the client would take it first. At the first
 * connect none was dialled, and the client takes the first of the list.
 */
function serverChoice(preferred: () => string | null = () => null): ReconnectToServerHandler {
  return (pool) => {
    const wanted = preferred();
    const [first] = pool;
    if (first === undefined) return null;
    const isFresh = pool.every(({ lastConnect }) => lastConnect === 0);
    const preferredServer = pool.find(({ listen }) => listen === wanted);
    if (preferredServer !== undefined && (isFresh || !wasDialledLast(preferredServer, pool)))
      return preferredServer;
    if (isFresh) return null;
    return pool.reduce((best, server) => (server.lastConnect < best.lastConnect ? server : best), first);
  };
}

type Pool = Parameters<ReconnectToServerHandler>[0];

function wasDialledLast(server: Pool[number], pool: Pool): boolean {
  return pool.length > 1 && pool.every(({ lastConnect }) => lastConnect <= server.lastConnect);
}

/** As it says who the process is, with what the file holds at the time. Null: nobody. */
function authenticatorOf(identity: NatsIdentity, report: Report): Authenticator | null {
  switch (identity.kind) {
    case 'anonymous':
      return null;
    case 'password':
      return usernamePasswordAuthenticator(identity.user, identity.password);
    case 'seed':
      return nkeyAuthenticator(Buffer.from(identity.seed.trim()));
    default: {
      const current = lastGood(() => readIdentity(identity), report);
      return (nonce) => current()(nonce);
    }
  }
}

function readIdentity(identity: Extract<NatsIdentity, { readonly file: string }>): Authenticator {
  const { kind, file } = identity;
  const content = readSecret(file);
  switch (kind) {
    case 'passwordFile':
      return usernamePasswordAuthenticator(identity.user, content.toString('utf8').trim());
    case 'credentials':
      return tried(credsAuthenticator(content), file, 'it holds no credentials');
    case 'nkey': {
      const seed = Buffer.from(content.toString('utf8').trim());
      return tried(nkeyAuthenticator(seed), file, 'it holds no seed of an nkey');
    }
  }
}

/** Otherwise the client would find out, and close the connection for good. */
function tried(authenticator: Authenticator, file: string, otherwise: string): Authenticator {
  try {
    authenticator('');
  } catch (cause) {
    throw unusable(file, otherwise, cause);
  }
  return authenticator;
}

type Report = (error: OperationalError) => void;

/**
 * Files are read at each connect: a new password or key is used without a restart. What cannot be used at first is a mistake, and
 * thrown; later somebody may just be writing it, so what was read last serves once more. That is reported once, until it can be
 * read again.
 */
function lastGood<T>(read: () => T, report: Report): () => T {
  let good = read();
  let isReported = false;
  return () => {
    try {
      good = read();
      isReported = false;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      if (!isReported) report(error);
      isReported = true;
    }
    return good;
  };
}

function readSecret(file: string): Buffer {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (cause) {
    throw unusable(file, (cause as NodeJS.ErrnoException).code ?? String(cause), cause);
  }
  if (content.toString('latin1').trim() === '') throw unusable(file, 'it is empty');
  return content;
}

/** All files of one moment: a certificate goes with its key. */
function readTls({ caFile, ca: caText, certFile, keyFile }: NatsTls): SecureContext {
  const isCertificate = (content: Buffer): unknown => new X509Certificate(content);
  const ca = caFile === undefined ? caText : readAs(caFile, 'it holds no certificate', isCertificate);
  const cert = certFile && readAs(certFile, 'it holds no certificate', isCertificate);
  const key = keyFile && readAs(keyFile, 'it holds no private key', createPrivateKey);
  try {
    return createSecureContext({ ca, cert, key });
  } catch (cause) {
    const reason = keyFile === undefined ? 'TLS refuses it' : `it is not the key of ${String(certFile)}`;
    throw unusable(keyFile ?? String(caFile), reason, cause);
  }
}

function readAs(file: string, otherwise: string, use: (content: Buffer) => unknown): Buffer {
  const content = readSecret(file);
  try {
    use(content);
  } catch (cause) {
    throw unusable(file, otherwise, cause);
  }
  return content;
}

function unusable(file: string, reason: string, cause?: unknown): OperationalError {
  return new OperationalError(
    'CONFIG_INVALID',
    `The file ${file} for the connection to NATS cannot be used: ${reason}`,
    { file },
    { cause },
  );
}

export type { NatsConnection, Subscription } from '@nats-io/nats-core';
