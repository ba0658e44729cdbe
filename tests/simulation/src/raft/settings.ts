/** What a run is, apart from its seed. */
import { defaultLimits, type RaftLimits, type RaftTimings } from '@ringleader/raft';
import type { Prng } from '@ringleader/primitives';
import { ALL_FAULT_KINDS, type FaultKind } from '@ringleader/testing-simulation';
import type { Scene, Script } from './script.js';

export interface GroupSettings {
  readonly members: number;
  readonly tickMs: number;
  readonly timings: RaftTimings;
  readonly limits: RaftLimits;
  /** The longest time for which a member gathers inputs before it acts on them. */
  readonly turnMs: number;
  readonly snapshotEveryEntries: number;
  readonly trailingEntries: number;
  readonly chunkBytes: number;
}

export interface ClientSettings {
  readonly clients: number;
  readonly keys: number;
  readonly thinkMsMax: number;
  /** Of 10 operations. */
  readonly reads: number;
  readonly timeoutMs: number;
}

export interface FaultSettings {
  readonly kinds: readonly FaultKind[];
  readonly intensity: number;
  readonly durationMaxMs: number;
}

export interface RunSettings {
  readonly group: GroupSettings;
  readonly clients: ClientSettings;
  readonly faults: FaultSettings;
  /** How long faults last; then everything heals, and must come back. */
  readonly faultyMs: number;
  readonly recoveryMs: number;
}

export interface Profile {
  readonly name: string;
  readonly about: string;
  settings(prng: Prng): RunSettings;
  /** Steers the group into a corner that chance rarely finds. */
  readonly script?: Script;
}

export const timings: RaftTimings = {
  electionTimeoutTicks: 10,
  heartbeatIntervalTicks: 2,
  resendIntervalTicks: 4,
};

/** One entry per Append shows what many at once would hide. */
export const limits: RaftLimits = {
  ...defaultLimits,
  appendBytesMax: 1,
  inFlightAppendsMax: 4,
  inFlightBytesMax: 2_000,
  uncommittedBytesMax: 4_000,
  applyBytesMax: 500,
};

export const base: RunSettings = {
  group: {
    members: 3,
    tickMs: 8,
    timings,
    limits,
    turnMs: 0.3,
    snapshotEveryEntries: 1_000,
    trailingEntries: 100,
    chunkBytes: 64,
  },
  clients: { clients: 5, keys: 4, thinkMsMax: 20, reads: 4, timeoutMs: 300 },
  faults: { kinds: [], intensity: 0, durationMaxMs: 1 },
  faultyMs: 2_000,
  recoveryMs: 3_000,
};

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
