import { describe, expect, it } from '@jest/globals';
import { budgetBytes, heapFlags, memoryBytes, memoryLimitBytes } from './memory.js';
import { beginAnew, type StartedProcess } from './process-memory.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

describe('memoryLimitBytes', () => {
  it.each([
    ['a limit', 512 * MIB, 512 * MIB],
    ['no limit, told as 0', 0, null],
    ['no limit, told as 2^64 (cgroup v2)', 2 ** 64, null],
    ['no limit, told as 2^63 less a page (cgroup v1)', 9_223_372_036_854_771_712, null],
    ['a limit that the machine does not have', 64 * GIB, null],
  ])('reads %s', (_what, constrained, limit) => {
    expect(memoryLimitBytes(constrained, 16 * GIB)).toBe(limit);
  });
});

describe('memoryBytes', () => {
  it.each([
    ['the setting before the limit', '300', 512 * MIB, 300 * MIB],
    ['the limit where nothing is set', undefined, 512 * MIB, 512 * MIB],
    ['the limit where the setting is empty', '', 512 * MIB, 512 * MIB],
    ['the setting without a limit', '300', null, 300 * MIB],
    ['nothing where there is neither', undefined, null, null],
  ])('takes %s', (_what, setting, limit, bytes) => {
    expect(memoryBytes({ RINGLEADER_MEMORY_MIB: setting }, limit)).toBe(bytes);
  });
});

describe('budgetBytes', () => {
  const budget = { share: 1 / 16, minMib: 8, maxMib: 128, elseMib: 64 };
  it.each([
    ['a share of the memory', GIB, 64 * MIB],
    ['not less than it needs', 64 * MIB, 8 * MIB],
    ['not more than it is good for', 64 * GIB, 128 * MIB],
    ['what it is by default without a limit', null, 64 * MIB],
  ])('gives %s', (_what, limit, bytes) => {
    expect(budgetBytes(budget, limit)).toBe(bytes);
  });
});

describe('heapFlags', () => {
  it.each([
    [192 * MIB, 96, 8],
    [512 * MIB, 256, 32],
    [700 * MIB, 350, 32],
    [8 * GIB, 4096, 32],
  ])('are of %d bytes', (memory, old, semi) => {
    const sizes = [`--max-old-space-size=${old}`, `--max-semi-space-size=${semi}`];
    expect(heapFlags(memory)).toEqual([...sizes, '--heap-growing-percent=300']);
  });

  it('are none without a limit', () => {
    expect(heapFlags(null)).toEqual([]);
  });
});

describe('beginAnew', () => {
  const started = (more: Partial<StartedProcess>): StartedProcess => ({
    ...{ execPath: '/bin/node', execArgv: ['--no-warnings'], argv: ['/bin/node', 'dist/main.js', 'more'] },
    env: { PATH: '/bin' },
    ...more,
  });
  const flags = ['--max-old-space-size=128', '--max-semi-space-size=16', '--heap-growing-percent=300'];

  it('gives V8 the heap of the limit, and malloc two arenas unless others are set', () => {
    const args = ['/bin/node', ...flags, '--no-warnings', 'dist/main.js', 'more'];
    const env = { PATH: '/bin', MALLOC_ARENA_MAX: '2' };
    expect(beginAnew(started({}), 256 * MIB)).toEqual({ args, env });
    const tuned = { PATH: '/bin', MALLOC_ARENA_MAX: '8' };
    expect(beginAnew(started({ env: tuned }), 256 * MIB)).toEqual({ args, env: tuned });
  });

  it.each([
    ['has no limit', {}, null],
    ['was given a heap', { execArgv: ['--max-old-space-size=99'] }, 256 * MIB],
    ['was given a heap by NODE_OPTIONS', { env: { NODE_OPTIONS: '--max_old_space_size=99' } }, 256 * MIB],
    ['was given a share of it', { execArgv: ['--max-old-space-size-percentage=50'] }, 256 * MIB],
    ['would lose its lifeline', { env: { RINGLEADER_LIFELINE_FD: '3' } }, 256 * MIB],
  ])('leaves a process as it is that %s', (_what, more, memory) => {
    expect(beginAnew(started(more), memory)).toBe(null);
  });
});
