import { describe, expect, it } from '@jest/globals';
import { idsOf, type RaftRules } from '../src/index.js';
import { ChangingGroup } from './changing-group.js';

const SEEDS = 60;
const STEPS = 8_000;

/** Seeds that found a bug once (docs/BUGS.md). */
const pinned = [248, 384, 1525, 1540];

function run(seed: number, rules: Partial<RaftRules> = {}): number {
  const group = new ChangingGroup(seed, rules);
  for (let step = 0; step < STEPS; step += 1) group.step();
  group.recover();
  return group.changes;
}

describe('a group that changes all the time', () => {
  it('keeps what Raft promises, and goes on when all is well again', () => {
    let changes = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      try {
        changes += run(seed);
      } catch (error) {
        throw new Error(`seed ${String(seed)}`, { cause: error });
      }
    }
    expect(changes).toBeGreaterThan(4 * SEEDS);
  }, 60_000);

  it.each(pinned)('does so with seed %i, which found a bug once', (seed) => {
    expect(run(seed)).toBeGreaterThan(0);
  });

  it.each<[string, number, Partial<RaftRules>]>([
    ['the new set decides alone', 648, { setsToAgree: ({ voters }) => [idsOf(voters)] }],
    [
      'the old set decides alone',
      301,
      { setsToAgree: ({ voters, outgoing }) => [idsOf(outgoing.length > 0 ? outgoing : voters)] },
    ],
    ['a joint configuration is left before it is committed', 301, { mayLeaveJoint: () => true }],
  ])('does not where %s (seed %i)', (_, seed, rules) => {
    expect(() => run(seed, rules)).toThrow('state machine safety');
  });
});
