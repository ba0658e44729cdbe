/** A kind of run: how large, which load, which faults, and for steered ones a script. */
import type { Prng } from '@ringleader/primitives';
import { ALL_FAULT_KINDS } from '@ringleader/testing-simulation';
import type { Scene, Script } from './script.js';
import { base, limits, type RunSettings } from './settings.js';

export interface Profile {
  readonly name: string;
  readonly about: string;
  settings(prng: Prng): RunSettings;
  /** Steers the group into a corner that chance rarely finds. */
  readonly script?: Script;
}

/** Planned restarts hand leadership over first: now and then a leader does. */
function* handOvers({ group, prng }: Scene): Generator<number, void> {
  const meanMs = prng.nextBelow(3) === 0 ? 200 : 5_000;
  for (;;) {
    yield 2 * meanMs * prng.nextFloat();
    const leader = group.leader();
    if (leader !== null) group.process(leader)?.handOver();
  }
}

/** Everything at random: each seed draws its own group, load and kinds of faults. */
export const randomProfile: Profile = {
  name: 'random',
  about: 'swarm testing: size, load and faults drawn per seed',
  settings: (prng) => {
    const isDrawn = (oneIn: number): boolean => prng.nextBelow(oneIn) === 0;
    return {
      ...base,
      group: {
        ...base.group,
        members: isDrawn(2) ? 5 : 3,
        limits: isDrawn(2) ? limits : { ...limits, appendBytesMax: 1_000, inFlightBytesMax: 20_000 },
        turnMs: isDrawn(2) ? 0.05 : 1,
        snapshotEveryEntries: isDrawn(3) ? 1_000 : 5 + prng.nextBelow(40),
        trailingEntries: prng.nextBelow(10),
        chunkBytes: 16 + prng.nextBelow(100),
      },
      clients: {
        ...base.clients,
        clients: 2 + prng.nextBelow(5),
        keys: 1 + prng.nextBelow(6),
        thinkMsMax: 2 + prng.nextBelow(40),
        reads: 2 + prng.nextBelow(6),
        timeoutMs: 100 + prng.nextBelow(400),
      },
      faults: {
        kinds: ALL_FAULT_KINDS,
        intensity: 0.5 + prng.nextFloat() * 2.5,
        durationMaxMs: 50 + prng.nextFloat() * 600,
      },
    };
  },
  script: handOvers,
};
