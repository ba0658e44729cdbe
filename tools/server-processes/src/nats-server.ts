import { natsServerConfig, SERVICES } from '@ringleader/contracts';
import type { NatsCredential, NatsServerConfig, Service } from '@ringleader/contracts';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startServer, type LocalServer } from './child.js';
import { keptPassword, replaceFile } from './files.js';

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
  return { name, port, url: `nats://127.0.0.1:${port}`, logFile, launch };
}

/**
 * Generated passwords for nats-servers on this machine: a file for each service, for its owner's eyes only. They reach
 * processes by their path, never by an argument, the environment or a log.
 */
export interface NatsPasswords {
  readonly users: Readonly<Record<Service, NatsCredential>>;
  /** What the servers know each other by. */
  readonly routes: { readonly user: string; readonly password: string };
}

const ROUTES = 'routes';

export const natsPasswordFile = (folder: string, service: Service): string => join(folder, service);

/** Makes what is not there. */
export async function natsPasswords(folder: string): Promise<NatsPasswords> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const users = SERVICES.map((service) => {
    const password = keptPassword(natsPasswordFile(folder, service));
    return [service, { kind: 'password', password }] as const;
  });
  return {
    users: Object.fromEntries(users) as Record<Service, NatsCredential>,
    routes: { user: ROUTES, password: keptPassword(join(folder, ROUTES)) },
  };
}
