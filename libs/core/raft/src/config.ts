import { invariant, type Prng } from '@ringleader/primitives';
import { type RaftRules, soundRules } from './rules.js';
import type { MemberId } from './types.js';

export interface RaftTimings {
  /** A follower that hears nothing for this long, plus up to as much again at random, seeks election. */
  readonly electionTimeoutTicks: number;
  readonly heartbeatIntervalTicks: number;
  /** A chunk of a snapshot that is not answered for this long is sent again to a follower that answers heartbeats. */
  readonly resendIntervalTicks: number;
}

export interface RaftLimits {
  /** One Append carries entries up to this, or one entry that is larger. */
  readonly appendBytesMax: number;
  /** Appends to one follower that are not yet answered: by number and by bytes. */
  readonly inFlightAppendsMax: number;
  readonly inFlightBytesMax: number;
  /** A leader refuses proposals while it has more than this that is not committed. */
  readonly uncommittedBytesMax: number;
  /** One Ready hands out committed entries up to this, or one that is larger. */
  readonly applyBytesMax: number;
}

/** For reads by a lease (read-index/lease.ts). All members must have the same: each relies on the others' patience. */
export interface ReadLease {
  /** How long a tick of every member is, by its own clock, at the least. */
  readonly tickMs: number;
  /** By which part the rates of two members' clocks may differ: 0 <= driftMax < 1. */
  readonly driftMax: number;
}

export interface RaftConfig {
  readonly id: MemberId;
  /** Seeded by the shell from real randomness, else two members' time-outs coincide for ever. */
  readonly random: Prng;
  readonly timings: RaftTimings;
  readonly limits: RaftLimits;
  readonly rules: RaftRules;
  /** Null: every read is confirmed by a round of heartbeats, which needs no clock. */
  readonly lease: ReadLease | null;
}

export const defaultTimings: RaftTimings = {
  electionTimeoutTicks: 10,
  heartbeatIntervalTicks: 2,
  resendIntervalTicks: 4,
};

export const defaultLimits: RaftLimits = {
  appendBytesMax: 1024 * 1024,
  inFlightAppendsMax: 64,
  inFlightBytesMax: 8 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  applyBytesMax: 4 * 1024 * 1024,
};

export function raftConfig(
  essentials: Pick<RaftConfig, 'id' | 'random'>,
  overrides: Partial<Omit<RaftConfig, 'id' | 'random'>> = {},
): RaftConfig {
  const config = {
    ...essentials,
    timings: overrides.timings ?? defaultTimings,
    limits: overrides.limits ?? defaultLimits,
    rules: overrides.rules ?? soundRules,
    lease: overrides.lease ?? null,
  };
  checkConfig(config);
  return config;
}

function checkConfig({ id, timings, lease }: RaftConfig): void {
  invariant(Number.isInteger(id) && id > 0, 'the id of a member is a positive integer');
  invariant(timings.heartbeatIntervalTicks >= 1, 'the heartbeat interval is at least one tick');
  invariant(
    timings.electionTimeoutTicks > timings.heartbeatIntervalTicks,
    'the election timeout must exceed the heartbeat interval',
  );
  if (lease === null) return;
  invariant(lease.tickMs > 0, 'a tick takes time');
  invariant(lease.driftMax >= 0 && lease.driftMax < 1, 'a drift is a part: 0 or more, below 1');
}
