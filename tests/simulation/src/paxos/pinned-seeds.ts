/** Runs that found a bug in the core once: each has a row in docs/BUGS.md. */
export interface PinnedSeed {
  readonly profile: string;
  readonly seed: number;
}

export const PINNED: readonly PinnedSeed[] = [{ profile: 'late-offers', seed: 13 }];
