/** A process that begins anew, for real. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';

const BUILT = fileURLToPath(new URL('../dist/process-memory.js', import.meta.url));

/** Says which process it is before and after, and its heap. */
const SERVICE = `
const { fitProcess } = await import(process.argv[1]);
console.log(process.pid);
fitProcess();
const { heap_size_limit } = process.getBuiltinModule('v8').getHeapStatistics();
console.log(JSON.stringify({ heap: heap_size_limit, arenas: process.env.MALLOC_ARENA_MAX, argument: process.argv[2] }));
`;

async function run(
  environment: Record<string, string>,
): Promise<{ pids: string[]; heapMib: number; rest: unknown }> {
  const args = ['--input-type=module', '--eval', SERVICE, BUILT, 'kept'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment });
  const lines = stdout.trim().split('\n');
  const { heap, ...rest } = JSON.parse(lines.pop() ?? '') as { heap: number };
  return { pids: lines, heapMib: heap / 1024 / 1024, rest };
}

describe('fitProcess', () => {
  beforeAll(() => {
    if (!existsSync(BUILT))
      throw new Error(`${BUILT} is not there: build first (tsc -b libs/adapters/config)`);
  });

  it('begins anew, once, as the same process, with the heap of its memory', async () => {
    const { pids, heapMib, rest } = await run({ RINGLEADER_MEMORY_MIB: '200' });
    expect(pids).toHaveLength(2);
    expect(pids[0]).toBe(pids[1]);
    // V8 counts the new space in.
    expect(heapMib).toBeGreaterThanOrEqual(100);
    expect(heapMib).toBeLessThan(130);
    expect(rest).toEqual({ arenas: '2', argument: 'kept' });
  });

  it('lets a process be that was given a heap', async () => {
    const given = { RINGLEADER_MEMORY_MIB: '200', NODE_OPTIONS: '--max-old-space-size=300' };
    const { pids, heapMib } = await run(given);
    expect(pids).toHaveLength(1);
    expect(heapMib).toBeGreaterThanOrEqual(300);
  });
});
