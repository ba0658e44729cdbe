import { describe, expect, it } from '@jest/globals';
import { replicationRules } from '@ringleader/raft';
import { type Control, controls } from './controls.js';
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
  it.each(controls.map((control) => [control.name, control.broken, control] as const))(
    '%s: %s',
    (_name, _broken, control) => {
      expect(firstSeedThatCatches(control)).not.toBeNull();
    },
    120_000,
  );

  it('has a control for every rule, but for those about changes, which nothing here makes', () => {
    const broken = new Set(controls.flatMap(({ rules }) => Object.keys(rules)));
    const replication = Object.keys(replicationRules).filter((rule) => rule !== 'setsToAgree');
    expect([...broken].sort()).toEqual(replication.sort());
  });

  it('has a control for every rule about who a member is', () => {
    const broken = new Set(controls.flatMap(({ identities = {} }) => Object.keys(identities)));
    expect([...broken].sort()).toEqual(Object.keys(soundIdentities).sort());
  });
});
