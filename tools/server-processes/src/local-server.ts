import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { lastLines, startChild, type Child, type ChildSpec } from './child.js';
import { describeExit } from './child-exit.js';
import type { Guardian } from './guardian.js';
import { natsConfiguration } from './nats-configuration.js';
import {
  postgresCommand,
  postgresIsReady,
  preparePostgres,
  postgresUrl,
  type PostgresCluster,
} from './postgres-cluster.js';
import { ServerProcessError } from './server-process-error.js';
import { until } from './until.js';

/** How to run one server, as often as needed, on the same port and the same data. */
export interface LocalServer {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly logFile: string;
  /** Starts a process and waits until it serves. */
  launch(guardian?: Guardian): Promise<Child>;
  /** Stops a process of this server, cleanly. */
  shutdown(child: Child): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;

async function waitUntilReady(child: Child, ready: () => Promise<boolean>): Promise<void> {
  try {
    await until(`${child.name} did not become ready`, ready, {
      timeoutMs: READY_TIMEOUT_MS,
      failure: () => {
        const exit = child.exit();
        return exit === undefined ? undefined : `it ended with ${describeExit(exit)}`;
      },
    });
  } catch (error) {
    await child.stop('SIGKILL', STOP_GRACE_MS);
    const lines = await lastLines(child.logFile, 5);
    throw new ServerProcessError(`${(error as Error).message}; its log ends with: ${lines.join(' | ')}`, {
      cause: error,
    });
  }
}

/** nats-server greets every client with `INFO {...}` before anything else. */
function natsGreets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (greeted: boolean) => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(1000, () => {
      settle(false);
    });
    socket.once('error', () => {
      settle(false);
    });
    socket.once('data', (data) => {
      settle(data.toString('latin1').startsWith('INFO '));
    });
  });
}

export interface LocalServerOptions {
  readonly name: string;
  /** Holds configuration and data. */
  readonly dir: string;
  readonly logFile: string;
  readonly port: number;
}

export async function localNatsServer(program: string, options: LocalServerOptions): Promise<LocalServer> {
  const { name, dir, logFile, port } = options;
  const configuration = join(dir, 'nats-server.conf');
  await mkdir(dir, { recursive: true });
  await writeFile(configuration, natsConfiguration(port));
  return {
    name,
    port,
    url: `nats://127.0.0.1:${port}`,
    logFile,
    launch: async (guardian) => {
      const child = await startChild(
        { name, command: program, args: ['-c', configuration], env: {}, logFile },
        guardian,
      );
      await waitUntilReady(child, () => natsGreets(port));
      return child;
    },
    shutdown: async (child) => {
      await child.stop('SIGTERM', STOP_GRACE_MS);
    },
  };
}

/** After `kill -9` of the postmaster its sessions need a moment to notice; until then a new server refuses to start. */
const SESSIONS_LINGER = /pre-existing shared memory block/;

async function launchPostgres(
  spec: ChildSpec,
  cluster: PostgresCluster,
  guardian: Guardian | undefined,
): Promise<Child> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const child = await startChild(spec, guardian);
    try {
      await waitUntilReady(child, () => postgresIsReady(cluster, child.pid));
      return child;
    } catch (error) {
      if (!SESSIONS_LINGER.test((error as Error).message) || performance.now() > deadline) throw error;
    }
  }
}

export interface LocalPostgresOptions extends LocalServerOptions {
  /** Whether a start as root may use a user namespace; the system may refuse them. */
  readonly namespaces?: boolean;
}

export async function localPostgres(options: LocalPostgresOptions): Promise<LocalServer> {
  const { name, dir, logFile, port, namespaces = true } = options;
  const cluster = await preparePostgres(dir, { namespaces });
  const spec = { name, ...postgresCommand(cluster, port), env: {}, cwd: dir, logFile };
  return {
    name,
    port,
    url: postgresUrl(cluster, port),
    logFile,
    launch: (guardian) => launchPostgres(spec, cluster, guardian),
    // "Fast": ends the sessions, writes a checkpoint, stops. (SIGTERM would wait for clients to leave.)
    shutdown: async (child) => {
      await child.stop('SIGINT', STOP_GRACE_MS);
    },
  };
}
