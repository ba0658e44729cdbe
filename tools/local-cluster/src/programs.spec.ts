import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until, type StartError } from '@ringleader/server-processes';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseOtherVersions, serviceProgram } from './programs.js';

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
    const folder = { path: root, logs: root };
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

describe('refuseOtherVersions', () => {
  let root = '';
  const shards = [{ index: 1 }, { index: 2 }, { index: 5 }];
  const programs = (version: string) => ({ initdb: '/bin/initdb', postgres: '/bin/postgres', version });
  /** The sentence; undefined: they can be used. */
  const refusal = (version: string, folder?: string): string | undefined => {
    try {
      refuseOtherVersions(root, shards, { ...programs(version), ...(folder !== undefined && { folder }) });
    } catch (error) {
      return (error as StartError).message;
    }
    return undefined;
  };
  const write = async (name: string, text: string) => {
    await mkdir(join(root, name, 'data'), { recursive: true });
    await writeFile(join(root, name, 'data', 'PG_VERSION'), text);
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'versions-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('takes databases of the same major version, those that are not made yet, and those of no shard', async () => {
    await write('postgres-1', '15\n');
    await write('postgres-3', '14\n');
    for (const version of ['15.18', '15beta2', '15']) expect(refusal(version)).toBeUndefined();
  });

  it('says whose database it is, who made it, and with what to start', async () => {
    await write('postgres-1', '15\n');
    await write('postgres-5', '18\n');
    const [one, five] = [join(root, 'postgres-1'), join(root, 'postgres-5')];
    expect(refusal('18.4')).toBe(
      `The database of shard-1 in ${one} was made by PostgreSQL 15, and the one that npm brings is 18.4: name the folder of PostgreSQL 15's programs with --postgres.`,
    );
    expect(refusal('15.18', '/some/bin')).toBe(
      `The database of shard-5 in ${five} was made by PostgreSQL 18, and the one in /some/bin is 15.18: name the folder of PostgreSQL 18's programs with --postgres, or leave --postgres out if npm's made it.`,
    );
    expect(refusal('1.8')).toContain('PostgreSQL 15,');
  });

  it('leaves it to PostgreSQL to say what is wrong with a file that names no version', async () => {
    await write('postgres-2', '');
    expect(refusal('18.4')).toBeUndefined();
  });
});
