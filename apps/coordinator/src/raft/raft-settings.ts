import { defaultLimits, defaultTimings, type RaftLimits, type RaftTimings } from '@ringleader/raft';
import type { ProposalLimits } from './pending-proposals.js';

export interface RaftSettings {
  readonly tickMs: number;
  readonly timings: RaftTimings;
  readonly limits: RaftLimits;
  readonly proposals: ProposalLimits;
  readonly readsMax: number;
  /** Messages that wait for the loop: more are thrown away, which Raft takes for loss. */
  readonly inboxMessagesMax: number;
  /** A snapshot is taken when so many entries, or bytes of them, were applied since the last. */
  readonly snapshotEveryEntries: number;
  readonly snapshotEveryBytes: number;
  /** Entries that stay in the log behind a snapshot, for followers that are only a little behind. */
  readonly trailingEntries: number;
}

export const defaultRaftSettings: RaftSettings = {
  tickMs: 50,
  timings: defaultTimings,
  limits: defaultLimits,
  proposals: { countMax: 20_000, queuedBytesMax: 64 * 1024 * 1024, leaderWaitMs: 1_500 },
  readsMax: 50_000,
  inboxMessagesMax: 10_000,
  snapshotEveryEntries: 10_000,
  snapshotEveryBytes: 64 * 1024 * 1024,
  trailingEntries: 1_000,
};
