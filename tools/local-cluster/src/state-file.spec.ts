import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processStart } from '@ringleader/server-processes';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftovers } from './state-file.js';
import type { Service } from './services.js';

describe('endLeftovers', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader-leftovers-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs until it is ended; prints a line once it handles, or ignores, signals. */
  async function child(script: string) {
    const started = spawn('sh', ['-c', `${script} echo ready; while :; do sleep 0.05; done`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(started);
    const exited = once(started, 'exit');
    await once(started.stdout, 'data');
    const pid = started.pid ?? 0;
    return { started, exited, pid, identity: (await processStart(pid)) ?? '' };
  }

  const state = (...processes: { service: Service; pid: number | null; identity?: string | null }[]) =>
    writeFile(
      join(folder, 'cluster.json'),
      JSON.stringify({ processes: processes.map((entry) => ({ member: `${entry.service}-1`, ...entry })) }),
    );

  it('ends what runs, asking each as it wants to be asked, and names it', async () => {
    const service = await child(`trap 'exit 3' TERM;`);
    const database = await child(`trap '' TERM; trap 'exit 4' INT;`);
    await state({ service: 'shard', ...service }, { service: 'postgres', ...database });
    expect(await endLeftovers(folder)).toEqual(['shard-1', 'postgres-1']);
    expect(await service.exited).toEqual([3, null]);
    expect(await database.exited).toEqual([4, null]);
  });

  it('kills what does not answer', async () => {
    const deaf = await child(`trap '' TERM;`);
    await state({ service: 'nats-server', ...deaf });
    expect(await endLeftovers(folder, 100)).toEqual(['nats-server-1']);
    expect(await deaf.exited).toEqual([null, 'SIGKILL']);
  });

  it('spares a process that only has the id of one of ours', async () => {
    const foreign = await child('');
    await state(
      { service: 'shard', pid: foreign.pid, identity: 'another boot 1' },
      { service: 'gateway', pid: foreign.pid },
      { service: 'coordinator', pid: foreign.pid, identity: null },
      { service: 'nats-server', pid: null, identity: foreign.identity },
    );
    expect(await endLeftovers(folder)).toEqual([]);
    expect(foreign.started.exitCode ?? foreign.started.signalCode).toBeNull();
  });

  it('finds nothing in a folder with no state, or a torn one', async () => {
    expect(await endLeftovers(folder)).toEqual([]);
    await writeFile(join(folder, 'cluster.json'), '{"processes": [');
    expect(await endLeftovers(folder)).toEqual([]);
  });
});
