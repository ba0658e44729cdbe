export type CandidateId = string | number;

export interface Candidate {
  readonly id: CandidateId;
  /** Relative capacity, > 0. Round robin and random ignore it. */
  readonly weight: number;
  /** The failure detectors doubt it. */
  readonly suspect: boolean;
}

/** Picks one of a non-empty list. */
export type Strategy = <C extends Candidate>(candidates: readonly [C, ...C[]]) => C;
