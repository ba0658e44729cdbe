import {
  freePort,
  freePorts,
  localNatsServer,
  localPostgres,
  locateNatsServer,
  natsPasswords,
  toolsDirectory,
  type Child,
  type LocalServer,
} from '@ringleader/server-processes';
import type { NatsRouteTls, NatsServerConfig, NatsServerTls } from '@ringleader/contracts';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface ServerOptions {
  /** Holds the server's data and log; the same folder gives the same data again. */
  readonly dir: string;
  /** A free one, if not given. */
  readonly port?: number;
}

/** A real server for one test, on the loopback interface. It ends with the test's process, however that ends. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly logFile: string;
  readonly pid: number;
  /** Stops cleanly; the data stay. Harmless when it does not run. */
  stop(): Promise<void>;
  /** Ends it without warning; resolves when it is gone. */
  kill9(): Promise<void>;
  /** SIGSTOP and SIGCONT: alive, yet silent. */
  pause(): void;
  resume(): void;
  /** Stops it if it runs, and starts it again on the same port and data. */
  restart(): Promise<void>;
}

async function run(server: LocalServer, port: number): Promise<TestServer> {
  let child: Child = await server.launch();
  const stop = async (): Promise<void> => {
    await child.stop();
  };
  return {
    url: server.url,
    port,
    logFile: server.logFile,
    get pid() {
      return child.pid;
    },
    stop,
    kill9: async () => {
      await child.stop('SIGKILL', 0);
    },
    pause: () => {
      child.signal('SIGSTOP');
    },
    resume: () => {
      child.signal('SIGCONT');
    },
    restart: async () => {
      await stop();
      child = await server.launch();
    },
  };
}

async function options(name: string, { dir, port }: ServerOptions) {
  await mkdir(dir, { recursive: true });
  return { name, dir, port: port ?? (await freePort()), logFile: join(dir, `${name}.log`) };
}

export type NatsAccess = NatsServerConfig['access'];

/** Without `access` anybody may do anything. */
export async function startNatsServer(
  of: ServerOptions & { readonly access?: NatsAccess; readonly tls?: NatsServerTls },
): Promise<TestServer> {
  const { access = null, tls } = of;
  const place = await options('nats-server', of);
  const server = { ...place, access, ...(tls === undefined ? {} : { tls }) };
  return run(await localNatsServer(await natsProgram(), server), place.port);
}

export interface NatsClusterOptions {
  readonly dir: string;
  readonly access?: NatsAccess;
  /** For clients, who need no certificate, and for routes, where both sides need one. */
  readonly tls?: NatsRouteTls;
}

/** Servers that know each other, with routes that take a password, and tell clients of each other. */
export async function startNatsCluster(
  count: number,
  { dir, access = null, tls }: NatsClusterOptions,
): Promise<TestServer[]> {
  const program = await natsProgram();
  const ports = await freePorts(2 * count);
  const [clients, routePorts] = [ports.slice(0, count), ports.slice(count)];
  const { routes } = await natsPasswords(join(dir, 'passwords'));
  const servers = routePorts.map((other) => `127.0.0.1:${other}`);
  const starting = clients.map(async (port, i) => {
    const name = `nats-${i + 1}`;
    const place = await options(name, { dir: join(dir, name), port });
    const own = { name: 'test', host: '127.0.0.1', port: routePorts[i] ?? 0, advertise: true };
    const secure = tls && { tls: { certFile: tls.certFile, keyFile: tls.keyFile } };
    const server = {
      ...place,
      access,
      ...secure,
      routes: { ...routes, ...own, servers, ...(tls && { tls }) },
    };
    return run(await localNatsServer(program, server), port);
  });
  return Promise.all(starting);
}

function natsProgram(): Promise<string> {
  return locateNatsServer({ searchPath: process.env['PATH'], toolsDir: toolsDirectory() });
}

export async function startPostgres(of: ServerOptions): Promise<TestServer> {
  const place = await options('postgres', of);
  return run(await localPostgres(place), place.port);
}
