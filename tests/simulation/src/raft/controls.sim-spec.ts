import { describe, expect, it } from '@jest/globals';
import { soundRules } from '@ringleader/raft';
import { controls } from './controls.js';
import { raftSuite } from './suite.js';

/** The seeds that a control has to be caught within. */
const seeds = 60;

function firstSeedThatCatches(control: string): number | null {
  for (let seed = 1; seed <= seeds; seed += 1) {
    if (raftSuite.run({ seed, traceLines: 0, control }).failure !== null) return seed;
  }
  return null;
}

describe('negative controls: Raft with one rule broken is caught', () => {
  it.each(controls.map((control) => [control.name, control.broken] as const))(
    '%s: %s',
    (name) => {
      expect(firstSeedThatCatches(name)).not.toBeNull();
    },
    120_000,
  );

  it('has a control for every rule', () => {
    const broken = new Set(controls.flatMap(({ rules }) => Object.keys(rules)));
    expect([...broken].sort()).toEqual(Object.keys(soundRules).sort());
  });
});
