import type { MonotonicMs } from '@ringleader/primitives';

export type CandidateId = string | number;

export interface Candidate {
  readonly id: CandidateId;
  /** Relative capacity, > 0. Round robin and random ignore it. */
  readonly weight: number;
  /** What part of its share it may have at present, 0 < ramp <= 1 (slow-start.ts). No strategy ignores it. */
  readonly ramp: number;
  /** The failure detectors doubt it. */
  readonly suspect: boolean;
}

/** The request that a target is picked for. */
export interface Asked {
  readonly now: MonotonicMs;
  /** 32 bits of a hash of what is asked for, as evenly spread as may be: equal requests have equal ones. */
  readonly hash: number;
}

/** Picks one of a non-empty list. */
export type Strategy = <C extends Candidate>(candidates: readonly [C, ...C[]], asked: Asked) => C;
