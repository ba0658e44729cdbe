import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { processStat, processTree } from './process-table.js';

describe('processTree', () => {
  it('names a process and all that descend from it, parents first', async () => {
    const inner = "process.stdout.write('up'); process.stdin.resume();";
    const outer = `
      const { spawn } = require('node:child_process');
      spawn(process.execPath, ['-e', ${JSON.stringify(inner)}], { stdio: 'inherit' });
    `;
    const parent = spawn(process.execPath, ['-e', outer], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(parent.stdout, 'data');
    const pid = parent.pid ?? 0;
    const tree = processTree(pid);
    expect(tree).toHaveLength(2);
    expect(tree[0]).toBe(pid);
    expect(processStat(tree[1] ?? 0)?.parent).toBe(pid);
    const closed = once(parent, 'close');
    parent.stdin.end();
    await closed;
    expect(tree.map(processStat)).toEqual([undefined, undefined]);
  });
});
