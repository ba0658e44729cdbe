import {
  freePort,
  localNatsServer,
  localPostgres,
  locateNatsServer,
  toolsDirectory,
  type Child,
  type LocalServer,
} from '@ringleader/server-processes';
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
    await server.shutdown(child);
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

export async function startNatsServer(of: ServerOptions): Promise<TestServer> {
  const program = await locateNatsServer({ searchPath: process.env['PATH'], toolsDir: toolsDirectory() });
  const place = await options('nats-server', of);
  return run(await localNatsServer(program, place), place.port);
}

export async function startPostgres(of: ServerOptions): Promise<TestServer> {
  const place = await options('postgres', of);
  return run(await localPostgres(place), place.port);
}
