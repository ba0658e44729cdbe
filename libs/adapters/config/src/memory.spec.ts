import { describe, expect, it } from '@jest/globals';
import { budgetBytes, memoryLimitBytes } from './memory.js';

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

describe('budgetBytes', () => {
  const budget = { share: 1 / 16, minMib: 8, maxMib: 128, elseMib: 64 };
  it.each([
    ['a share of the limit', GIB, 64 * MIB],
    ['not less than it needs', 64 * MIB, 8 * MIB],
    ['not more than it is good for', 64 * GIB, 128 * MIB],
    ['what it is by default without a limit', null, 64 * MIB],
  ])('gives %s', (_what, limit, bytes) => {
    expect(budgetBytes(budget, limit)).toBe(bytes);
  });
});
