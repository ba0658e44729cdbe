/** Runs that found a bug in the core once: each has a row in docs/BUGS.md. */
export interface PinnedSeed {
  readonly profile: string;
  readonly seed: number;
}

export const PINNED: readonly PinnedSeed[] = [
  { profile: 'random', seed: 1582 },
  { profile: 'random', seed: 7 },
  { profile: 'random', seed: 106 },
  { profile: 'random', seed: 196 },
  { profile: 'random', seed: 2073 },
  { profile: 'random', seed: 2303 },
];
