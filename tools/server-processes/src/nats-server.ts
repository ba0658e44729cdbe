import { createUser, fromSeed } from '@nats-io/nkeys';
import { natsServerConfig, SERVICES } from '@ringleader/contracts';
import type { NatsCredential, NatsServerConfig, Service } from '@ringleader/contracts';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startServer, type LocalServer } from './child.js';
import { keptPassword, keptText, replaceFile } from './files.js';

/** Who may connect, and which other servers there are; `access` null: anybody may do anything. */
export interface LocalNatsOptions extends Pick<NatsServerConfig, 'access' | 'routes' | 'tls'> {
  readonly name: string;
  /** Holds the configuration. */
  readonly dir: string;
  readonly logFile: string;
  readonly port: number;
}

/** nats-server greets every client with `INFO {...}` before anything else. */
async function greets(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })) as [Buffer];
    return data.toString('latin1').startsWith('INFO ');
  } catch {
    // Nobody listens yet, or nobody speaks yet.
    return false;
  } finally {
    socket.destroy();
  }
}

export async function localNatsServer(program: string, options: LocalNatsOptions): Promise<LocalServer> {
  const { name, dir, logFile, port, ...config } = options;
  const file = join(dir, 'nats-server.conf');
  await mkdir(dir, { recursive: true });
  // It holds passwords.
  replaceFile(file, natsServerConfig({ ...config, serverName: name, host: '127.0.0.1', port }));
  const spec = { name, command: program, args: ['-c', file], logFile, orphaned: 'SIGTERM' } as const;
  const launch = () => startServer(spec, () => greets(port));
  const scheme = config.tls === undefined ? 'nats' : 'tls';
  return { name, port, url: `${scheme}://127.0.0.1:${port}`, logFile, launch };
}

/** Who the services and the servers are for nats-servers. */
export interface NatsIdentities {
  readonly users: Readonly<Record<Service, NatsCredential>>;
  /** What the servers know each other by. */
  readonly routes: { readonly user: string; readonly password: string };
}

const ROUTES = 'routes';

export const natsPasswordFile = (folder: string, service: Service): string => join(folder, service);

/**
 * Generated passwords for nats-servers on this machine: a file for each service, for its owner's eyes only. They reach
 * processes by their path, never by an argument, the environment or a log. Makes what is not there.
 */
export function natsPasswords(folder: string): Promise<NatsIdentities> {
  return identities(folder, (service) => {
    return { kind: 'password', password: keptPassword(natsPasswordFile(folder, service)) };
  });
}

const SEED = /^SU[A-Z2-7]{56}$/;

export const natsSeedFile = (folder: string, service: Service): string => join(folder, `${service}.seed`);

/** The same with keys: the servers are told the public ones, and can lose no secret of a service. */
export function natsSeeds(folder: string): Promise<NatsIdentities> {
  return identities(folder, (service) => {
    const seed = keptText(natsSeedFile(folder, service), SEED, newSeed);
    return { kind: 'nkey', publicKey: fromSeed(Buffer.from(seed)).getPublicKey() };
  });
}

const newSeed = (): string => Buffer.from(createUser().getSeed()).toString('ascii');

async function identities(
  folder: string,
  credential: (service: Service) => NatsCredential,
): Promise<NatsIdentities> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    users: Object.fromEntries(SERVICES.map((service) => [service, credential(service)])) as Record<
      Service,
      NatsCredential
    >,
    routes: { user: ROUTES, password: keptPassword(join(folder, ROUTES)) },
  };
}
