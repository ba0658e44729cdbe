import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Child } from '@ringleader/server-processes';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceProgram } from './programs.js';

describe('serviceProgram', () => {
  let root = '';

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'programs-'));
    const dist = join(root, 'apps/gateway/dist');
    await mkdir(dist, { recursive: true });
    await writeFile(join(dist, 'main.js'), 'console.log(process.env.RINGLEADER_STOP_WITHIN_MS)');
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  /** What the service is told about its end, and after how long it is killed. */
  async function endOf(environment: Record<string, string>) {
    const folder = { path: root, logs: root, endedLeftovers: [], release: async () => undefined };
    const program = await serviceProgram(
      { root, environment, folder },
      { service: 'gateway', member: 'gateway-1', port: 1, env: {} },
    );
    const child = await program.launch();
    await child.exited;
    const told = Number((await readFile(program.logFile, 'utf8')).trim().split('\n').at(-1));
    let killedAfterMs = 0;
    const watched: Child = {
      ...child,
      stop: async (_signal, graceMs) => {
        killedAfterMs = graceMs;
        return child.exited;
      },
    };
    await program.shutdown(watched);
    return { told, killedAfterMs };
  }

  it('does not kill a service within the time that it is given for its end', async () => {
    const usual = await endOf({});
    expect(usual.told).toBeGreaterThan(5_000);
    expect(usual.killedAfterMs).toBeGreaterThan(usual.told);
    const asked = await endOf({ RINGLEADER_STOP_WITHIN_MS: '62000' });
    expect(asked.told).toBe(62_000);
    expect(asked.killedAfterMs).toBeGreaterThan(62_000);
    expect(await endOf({ RINGLEADER_STOP_WITHIN_MS: '' })).toEqual(usual);
  });
});
