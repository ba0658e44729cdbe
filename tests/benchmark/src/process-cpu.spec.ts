import { expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { usageOfTrees } from './process-cpu.js';

it('counts what children took that have ended, as those of PostgreSQL that vacuum', async () => {
  const work = 'i=0; while [ $i -lt 1000000 ]; do i=$((i + 1)); done';
  // `wait` alone ends when the child has, and has been asked with what.
  const parent = spawn('sh', ['-c', `echo ready; read go; sh -c '${work}' & wait; echo worked; read go`]);
  try {
    const said = createInterface({ input: parent.stdout });
    const pid = parent.pid ?? 0;
    await once(said, 'line');
    const [before] = usageOfTrees([pid]);
    parent.stdin.write('go\n');
    await once(said, 'line');
    const [after] = usageOfTrees([pid]);
    expect(after!.cpuMs - before!.cpuMs).toBeGreaterThanOrEqual(50);
  } finally {
    parent.kill();
    await once(parent, 'exit');
  }
});
