import { describe, expect, it } from '@jest/globals';
import { controls } from './controls.js';
import { PROFILES, lossyWeek } from './profile.js';
import { detectionSuite } from './suite.js';

function mustPass(seed: number, profile: string): void {
  const run = { seed, traceLines: 0, profile };
  const { failure } = detectionSuite.run(run);
  if (failure !== null) throw new Error(`${failure}\nReplay: ${detectionSuite.replayCommand(run)}`);
}

/** A week takes too long for every run of the tests: pnpm sim --core detection --profile lossy-week --seeds 1..4 */
const DAYS = PROFILES.filter((one) => one !== lossyWeek);

describe('failure detection', () => {
  it.each(DAYS.map(({ name, about }) => [name, about] as const))(
    '%s: keeps every promise with %s',
    (name) => mustPass(1, name),
    120_000,
  );

  it('is run from its seed alone', () => {
    const run = { seed: 11, traceLines: 0, profile: 'calm' };
    expect(detectionSuite.run(run)).toEqual(detectionSuite.run(run));
  });
});

describe('negative controls: failure detection with one thing left out is caught', () => {
  it.each(controls.map(({ name, broken, caughtBy }) => [name, broken, caughtBy] as const))(
    '%s: %s',
    (name, _broken, caughtBy) => {
      const { failure, check } = detectionSuite.run({ seed: 1, traceLines: 0, control: name });
      expect([check, failure?.startsWith(`${caughtBy}: `)]).toEqual([caughtBy, true]);
    },
    120_000,
  );
});
