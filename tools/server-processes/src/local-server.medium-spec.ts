import { describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { localPostgres } from './local-server.js';

describe('localPostgres', () => {
  it.each([true, false])(
    'runs below a folder that its user alone may enter (user namespaces: %s)',
    async (namespaces) => {
      const home = await mkdtemp(join(tmpdir(), 'ringleader ü-'));
      await chmod(home, 0o700);
      const dir = join(home, 'own data');
      await mkdir(dir);
      const port = await freePort();
      const logFile = join(home, 'log');
      const server = await localPostgres({ name: 'postgres', dir, port, logFile, namespaces });
      for (const start of [1, 2]) {
        const child = await server.launch();
        expect(child.pid).toBeGreaterThan(start);
        await server.shutdown(child);
        expect(child.exit()).toEqual({ code: 0, signal: null });
      }
      await rm(home, { recursive: true });
    },
    60_000,
  );
});
