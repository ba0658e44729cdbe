import type { Ballot, Epoch, Incarnation, Revision, ShardOrdinal } from '@ringleader/primitives';
import { CommitWaiters, ConfirmRounds, type Waiter } from './waiters.js';
import { RetainedBatches, type OpenBatch } from './batches.js';
import type { CommitPoint } from '../messages.js';
import type { Position, Row } from '../records.js';
import { RestingPoints } from '../purge/resting-points.js';
import type { ReadRequest, WriteRequest } from '../requests.js';
import type { GrantSpan } from '../rules/lease-rules.js';
import { FailedRequests } from './failed-requests.js';
import type { CacheEntry } from './row-cache.js';

/** Inside of a scan: what the key has now, with an expired row replaced by its tombstone. */
export interface ExpiryCheck {
  readonly kind: 'expiry';
  readonly key: string;
  checked(newest: Row | null): void;
  abandoned(): void;
}

/** What waits for the newest row of a key. */
export type KeyRequest = WriteRequest | ReadRequest | ExpiryCheck;

/** What a leader knows of another replica at its ballot. */
export interface PeerProgress {
  /** Durable there at this ballot; -1 until it is at this ballot. */
  acknowledged: Revision;
  /** The grant in which it acknowledged this ballot (4.4.2). */
  confirmedIn: GrantSpan | undefined;
  /** When it last acknowledged this ballot; at first, since when it could. */
  heardAt: number;
  /** Batches up to here were sent in order; -1 when not even the barrier was. */
  streamed: Revision;
  /** It said that it needs a repair: batches would only be refused. */
  behind: boolean;
  /** When it was last sent something that it must answer. */
  askedAt: number;
  /** Since when it says that it has less than it acknowledged; null while it does not. */
  deniedSince: number | null;
  /** What was long on its way is waited for at least until then. */
  answersBy: number;
  /** The incarnation that was told, or knows by itself, which keyed writes this leader remembers. */
  toldMemoryIn: Incarnation;
  /** Of rows that it was sent for its present copy. */
  copied: { readonly copyId: number; readonly bytes: number };
}

export interface Handover {
  readonly successor: ShardOrdinal;
  readonly startedAt: number;
}

/** One leadership: one ballot of one incarnation, partition and epoch (docs/PROTOCOL.md 4.0). */
export class Leader {
  readonly kind = 'leader';
  /** Of the most advanced of those that elected it. */
  readonly adopted: Position;
  /** The revision of its barrier: that of what it adopted, but where revisions were lost (6.8). */
  readonly beginsAt: Revision;
  /** The last revision given to a write; those past the record's position are not sent yet. */
  lastRevision: Revision;
  /** Own rows durable at this ballot; -1 until the take-over is. */
  durableRevision: Revision = -1;
  barrierCommitted = false;
  readonly progress = new Map<ShardOrdinal, PeerProgress>();
  readonly waiters = new CommitWaiters();
  readonly retained = new RetainedBatches();
  /** Batches decided on and not sent; only the last one still takes rows. */
  readonly open: OpenBatch[] = [];
  bytesInFlight = 0;

  /** Newest rows, those in flight included. */
  readonly rows = new Map<string, CacheEntry>();
  /** Requests whose key is being read. */
  readonly reading = new Map<string, KeyRequest[]>();
  /** Requests that met an expired row when there was no room for its tombstone, or too many bytes in flight. */
  readonly awaitingRoom: { readonly request: KeyRequest; readonly again: () => void }[] = [];
  /** Failed conditions that may be answered only when the barrier is committed (4.1.7). */
  readonly barrierWaiters: Waiter[] = [];
  readonly failed = new FailedRequests();
  readonly confirms = new ConfirmRounds();
  readonly resting = new RestingPoints();

  /** As it was last told: the same object as long as nothing changes. */
  point: CommitPoint | null = null;

  handover: Handover | null = null;
  handoverNotBefore: number;
  /** As of the last look, for summaries; decisions compute the lease when asked (4.4.5). */
  leasedWhenSeen = false;
  /** When it last had the lease, or a quorum was last heard to follow it. */
  backedAt: number;

  constructor(
    readonly ballot: Ballot,
    readonly epoch: Epoch,
    from: { readonly adopted: Position; readonly beginsAt: Revision },
    readonly since: number,
  ) {
    this.adopted = from.adopted;
    this.beginsAt = from.beginsAt;
    this.lastRevision = from.beginsAt;
    this.backedAt = since;
    this.handoverNotBefore = since;
  }

  /** The take-over is durable: storage reads see the rows this leadership begins with. */
  get serving(): boolean {
    return this.durableRevision >= 0;
  }

  progressOf(peer: ShardOrdinal): PeerProgress {
    let progress = this.progress.get(peer);
    if (progress === undefined) {
      progress = {
        acknowledged: -1,
        confirmedIn: undefined,
        heardAt: this.since,
        streamed: -1,
        behind: false,
        askedAt: this.since,
        deniedSince: null,
        answersBy: this.since,
        toldMemoryIn: 0,
        copied: { copyId: 0, bytes: 0 },
      };
      this.progress.set(peer, progress);
    }
    return progress;
  }
}
