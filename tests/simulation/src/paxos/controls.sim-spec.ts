import { describe, expect, it } from '@jest/globals';
import { CONTROLS } from './controls/index.js';
import { paxosSuite } from './suite.js';

/** The seeds that a control has to be caught within. */
const SEEDS = 120;

function firstSeedThatCatches(control: string): number | null {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    if (paxosSuite.run({ seed, traceLines: 0, control }).failure !== null) return seed;
  }
  return null;
}

describe('negative controls: the protocol with one rule broken is caught', () => {
  it.each(CONTROLS.map((control) => [control.name, control.broken] as const))(
    '%s: %s',
    (name) => {
      expect(firstSeedThatCatches(name)).not.toBeNull();
    },
    120_000,
  );

  it('has at least the controls that must never go missing', () => {
    const names = CONTROLS.map((control) => control.name);
    expect(names.length).toBeGreaterThanOrEqual(30);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        'NoBarrier',
        'NoUndo',
        'LivePages',
        'PairLease',
        'NoRestartWait',
        'CondOnCommitted',
        'LastIdOnly',
      ]),
    );
  });
});
