import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { workspaceRoot } from '@ringleader/server-processes';

const MAIN = join(workspaceRoot(), 'tests/benchmark/dist/main.js');

/** What it wrote to standard error, and its exit code. */
function bench(...args: string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, _, said) =>
      resolve({ code: error?.code ?? 0, said }),
    );
  });
}

/** It is built when it is first wanted, and no test before this one may have. */
const BUILD_TIMEOUT_MS = 300_000;

describe('npm run bench', () => {
  beforeAll(
    () =>
      promisify(execFile)(process.execPath, [join(workspaceRoot(), 'tools/bootstrap/bench.mjs'), '--help']),
    BUILD_TIMEOUT_MS,
  );

  it.each([
    ['failover', '--trials', '0'],
    ['leader-failover', '--trials', 'x'],
    ['balance', '--strategies', 'best'],
    ['balance', '--pause', '1000'],
    ['elastic', '--keys', '1e6'],
    ['placement-scale', '--partitions', '1000'],
    ['store', '--keys', '1000,x'],
    ['coordinator', '--workloads', 'put,delete'],
    ['failover', '--data', '/nowhere'],
    ['leader-failover', '--data', '/nowhere'],
    ['load', '--targets', 'ringleader', '--load', 'node', '--data', '/nowhere'],
    ['elastic', '--svg', '/nowhere/out.svg'],
  ])('says in a sentence what cannot be done: %s %s %s', async (...args) => {
    const { code, said } = await bench(...args);
    expect(code).toBe(1);
    expect(said.trim().split('\n')).toHaveLength(1);
    expect(said).toContain(args.at(-1)?.split(',').at(-1));
  });
});
