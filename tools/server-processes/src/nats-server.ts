import { mkdir, rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { natsServerConfig } from '@ringleader/contracts';
import type { NatsServerConfig } from '@ringleader/contracts';
import { startChild } from './child.js';
import { STOP_GRACE_MS, waitUntilReady, type LocalServer, type LocalServerOptions } from './local-server.js';

/** Who may connect, and which other servers there are; `access` null: anybody may do anything. */
export interface LocalNatsOptions
  extends LocalServerOptions, Pick<NatsServerConfig, 'access' | 'routes' | 'tls'> {
  readonly port: number;
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
  const { name, dir, logFile, port, ...config } = options;
  const file = join(dir, 'nats-server.conf');
  await mkdir(dir, { recursive: true });
  const text = natsServerConfig({ ...config, serverName: name, host: '127.0.0.1', port });
  // It holds passwords. A file that exists would keep the mode that it has.
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
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
