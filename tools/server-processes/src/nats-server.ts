import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startChild } from './child.js';
import { STOP_GRACE_MS, waitUntilReady, type LocalServer, type LocalServerOptions } from './local-server.js';

/** Frames of the data path stay below 4 MiB; the limit leaves room for twice that. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

export interface LocalNatsOptions extends LocalServerOptions {
  readonly port: number;
  /** Of a server that is one of several: where it hears the others, and where all of them do. */
  readonly cluster?: { readonly port: number; readonly allPorts: readonly number[] };
}

/** A server for one machine: loopback only, nothing on disk but its log. */
function configuration({ name, port, cluster }: LocalNatsOptions): string {
  const routes = cluster?.allPorts.map((route) => `nats://127.0.0.1:${route}`) ?? [];
  return [
    `server_name: ${name}`,
    'host: 127.0.0.1',
    `port: ${port}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    'max_pending: 268435456',
    'logtime: true',
    ...(cluster === undefined
      ? []
      : [
          `cluster { name: ringleader, listen: "127.0.0.1:${cluster.port}", routes: [${routes.join(', ')}] }`,
        ]),
    '',
  ].join('\n');
}

/** nats-server greets every client with `INFO {...}` before anything else. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const settle = (greeted: boolean) => () => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('timeout', settle(false)).once('error', settle(false));
    socket.once('data', (data) => {
      settle(data.toString('latin1').startsWith('INFO '))();
    });
  });
}

export async function localNatsServer(program: string, options: LocalNatsOptions): Promise<LocalServer> {
  const { name, dir, logFile, port } = options;
  const file = join(dir, 'nats-server.conf');
  await mkdir(dir, { recursive: true });
  await writeFile(file, configuration(options), { mode: 0o600 });
  return {
    name,
    port,
    url: `nats://127.0.0.1:${port}`,
    logFile,
    launch: async () => {
      const args = ['-c', file];
      const child = await startChild({ name, command: program, args, env: {}, logFile, orphaned: 'SIGTERM' });
      return waitUntilReady(child, () => greets(port));
    },
    shutdown: async (child) => {
      await child.stop('SIGTERM', STOP_GRACE_MS);
    },
  };
}
