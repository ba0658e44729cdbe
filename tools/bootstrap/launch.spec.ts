import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LAUNCH = new URL('launch.mjs', import.meta.url).href;

/** Until it is told to end; but not for ever, where this test fails. */
const PROGRAM = `
process.on('SIGTERM', () => { console.log('told to end'); process.exit(); });
setTimeout(() => console.log('told nothing'), 5_000);`;

describe('run', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader-launch-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('ends a program whose owner was killed before it was launched: while packages were built', async () => {
    await writeFile(join(folder, 'program.mjs'), PROGRAM);
    const program = relative(ROOT, join(folder, 'program.mjs'));
    const bootstrap = `
      import { run } from ${JSON.stringify(LAUNCH)};
      const owner = process.ppid;
      process.kill(owner, 'SIGKILL');
      while (process.ppid === owner) await new Promise(setImmediate);
      await run(${JSON.stringify(program)}, [], { lifeline: true });`;
    await writeFile(join(folder, 'bootstrap.mjs'), bootstrap);
    // A shell that waits for it, as npm does.
    const line = `"$0" "$1"; true`;
    const owner = spawn('sh', ['-c', line, process.execPath, join(folder, 'bootstrap.mjs')], {
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(owner.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe('told to end\n');
  }, 30_000);
});
