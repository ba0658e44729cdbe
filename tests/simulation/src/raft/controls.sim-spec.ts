import { describe, expect, it } from '@jest/globals';
import { soundRules } from '@ringleader/raft';
import { allControls } from './all-controls.js';
import type { Control } from './controls.js';
import { soundDataRules } from './data/data-rules.js';
import { soundDisks } from './disk-rules.js';
import { soundIdentities } from './identities.js';
import { raftSuite } from './suite.js';

/** The seeds that a control has to be caught within. */
const seeds = 60;

function firstSeedThatCatches({ name, caughtBy }: Control): number | null {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failure } = raftSuite.run({ seed, traceLines: 0, control: name });
    if (failure?.startsWith(`${caughtBy}: `) === true) return seed;
  }
  return null;
}

describe('negative controls: Raft with one rule broken is caught', () => {
  it.each(allControls.map((control) => [control.name, control.broken, control] as const))(
    '%s: %s',
    (_name, _broken, control) => {
      expect(firstSeedThatCatches(control)).not.toBeNull();
    },
    120_000,
  );

  it('has a control for every rule', () => {
    const broken = new Set(allControls.flatMap(({ rules }) => Object.keys(rules)));
    expect([...broken].sort()).toEqual(Object.keys(soundRules).sort());
  });

  it('has a control for every rule about disks', () => {
    const broken = new Set(allControls.flatMap(({ disks = {} }) => Object.keys(disks)));
    expect([...broken].sort()).toEqual(Object.keys(soundDisks).sort());
  });

  it('has a control for every rule about who a member is', () => {
    const broken = new Set(allControls.flatMap(({ identities = {} }) => Object.keys(identities)));
    expect([...broken].sort()).toEqual(Object.keys(soundIdentities).sort());
  });

  it('has a control for every rule about what clients of the store are owed', () => {
    const broken = new Set(allControls.flatMap(({ dataRules = {} }) => Object.keys(dataRules)));
    expect([...broken].sort()).toEqual(Object.keys(soundDataRules).sort());
  });
});
