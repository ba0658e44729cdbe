import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@ringleader/server-processes';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceProgram } from './programs.js';

/** Takes a little longer than it may. */
const STUB = `
process.on('SIGTERM', () => setTimeout(process.exit, 300, 0));
setInterval(() => undefined, 1_000);
console.log(process.env.RINGLEADER_STOP_WITHIN_MS);`;

describe('serviceProgram', () => {
  let root = '';

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'programs-'));
    const dist = join(root, 'apps/gateway/dist');
    await mkdir(dist, { recursive: true });
    await writeFile(join(dist, 'main.js'), STUB);
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  /** What the service is told about its end, and how it ended. */
  async function endOf(environment: Record<string, string>) {
    const folder = { path: root, logs: root, endedLeftovers: [], release: async () => undefined };
    const program = await serviceProgram(
      { root, environment, folder },
      { service: 'gateway', member: 'gateway-1', port: 1, env: {} },
    );
    await rm(program.logFile, { force: true });
    const child = await program.launch();
    const told = async () => Number(await readFile(program.logFile, 'utf8'));
    await until('it speaks', async () => (await told()) > 0, { timeoutMs: 10_000 });
    return { told: await told(), exit: await child.stop() };
  }

  it('does not kill a service within the time that it is given for its end, nor soon after', async () => {
    const usual = await endOf({});
    expect(usual.told).toBeGreaterThan(5_000);
    expect(await endOf({ RINGLEADER_STOP_WITHIN_MS: '' })).toEqual(usual);
    const short = await endOf({ RINGLEADER_STOP_WITHIN_MS: '100' });
    expect(short).toEqual({ told: 100, exit: { code: 0, signal: null } });
  });
});
