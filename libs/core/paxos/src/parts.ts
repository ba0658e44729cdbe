import type { Incarnation, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { CopyPace } from './catch-up/copy-pace.js';
import type { BackOff } from './leadership/back-off.js';
import type { OwnPace } from './leadership/own-pace.js';
import type { Outbox } from './outbox.js';
import type { AcceptsSent } from './pair/accepts-sent.js';
import type { PeerBacklog, RowsServed } from './pair/backlog.js';
import type { ClockJump } from './pair/clock-jump.js';
import type { Grants } from './pair/grants.js';
import type { Holdings } from './pair/holdings.js';
import type { Peers } from './pair/peers.js';
import type { PointsHeard } from './pair/points-heard.js';
import type { PointsTold } from './pair/points-told.js';
import type { Releases } from './pair/releases.js';
import type { MemoryShare } from './partition/memory-share.js';
import type { Replica } from './partition/replica.js';
import type { Wakeups } from './partition/wakeups.js';
import type { Purges } from './purge/purges.js';
import type { PaxosLimits, PaxosTimings } from './ready.js';
import type { ReadQueue } from './read-queue.js';
import type { PaxosRules } from './rules/rules.js';
import type { StampTime } from './storage.js';
import type { TransactionBuilder } from './transaction-builder.js';
import type { Verifier } from './verify/verifier.js';
import type { Admission } from './admission.js';
import type { RowCache } from './partition/row-cache.js';

/**
 * What one shard's core is made of. Only `PaxosShard` holds it as a whole: each file that acts on a part names its
 * port, which is what it needs itself and the ports of what it calls.
 */
export interface ShardParts {
  /** The clock reading of the call that is being worked on. */
  now: number;
  /** Set by `leave` and `releaseAll`: the shard stands no more, and hands over what it leads. */
  retired: boolean;
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
  readonly startedAt: number;
  readonly timings: PaxosTimings;
  readonly limits: PaxosLimits;
  readonly rules: PaxosRules;
  readonly stamp: StampTime;
  readonly replicas: Map<PartitionIndex, Replica>;
  /** Replicas that lead here. */
  readonly led: Set<Replica>;
  /** Replicas with batches to send or Confirm rounds to start before the next `Ready`. */
  readonly flushes: Set<Replica>;
  readonly outbox: Outbox;
  readonly transactions: TransactionBuilder;
  readonly reads: ReadQueue;
  readonly wakeups: Wakeups;
  readonly grants: Grants;
  readonly holdings: Holdings;
  readonly clockJump: ClockJump;
  readonly peers: Peers;
  readonly accepts: AcceptsSent;
  readonly backlog: PeerBacklog;
  readonly served: RowsServed;
  readonly copyPace: CopyPace;
  readonly pointsTold: PointsTold;
  readonly pointsHeard: PointsHeard;
  readonly pace: OwnPace;
  readonly backOff: BackOff;
  readonly releases: Releases;
  readonly admission: Admission;
  readonly cache: RowCache;
  readonly keyedShare: MemoryShare;
  readonly recentShare: MemoryShare;
  readonly tombstoneShare: MemoryShare;
  readonly keysShare: MemoryShare;
  readonly purges: Purges;
  readonly verifier: Verifier;
  /** Fresh numbers for generations and copies: never used before, also not by an earlier incarnation. */
  nextGeneration(): number;
}

/** The named parts, and of the clock only its reading. */
export type Port<K extends keyof ShardParts> = Readonly<Pick<ShardParts, K>>;
