import type {
  Ballot,
  Epoch,
  Incarnation,
  PartitionIndex,
  Revision,
  ShardOrdinal,
} from '@ringleader/primitives';
import type { AskedPage, CatchUp } from './catch-up.js';
import type { Prepare } from '../messages.js';
import type { PartitionAssignment } from '../ready.js';
import type { PartitionRecord, Row } from '../records.js';
import { isMember, membersOf, votersOf } from '../rules/quorum.js';
import type { Candidate } from './candidate.js';
import type { Leader } from './leader.js';
import { ownerOf } from '../ballot.js';
import type { KeyedRequests } from './keyed-requests.js';
import { KnownKeys } from './known-keys.js';
import { Tombstones } from '../purge/tombstones.js';
import type { NewestByKey } from './newest-by-key.js';
import { RecentKeys } from './recent-keys.js';
import type { MemoryShare } from './memory-share.js';

const RECENT_KEYS_MAX = 1_024;
/** Longer than the pause between two candidacies: who promised a ballot says so again at the next one. */
const SEEN_MS = 10_000;
const NEVER = Number.NEGATIVE_INFINITY;

/** Removes the row, if it has this revision; null is whatever row there is. */
export interface Gone {
  readonly key: string;
  readonly goneRevision: Revision | null;
}

/** The newest change of each key of one generation within one transaction. */
export interface RowChanges {
  readonly generation: number;
  readonly rows: NewestByKey<Row | Gone>;
}

export const NO_CHANGES: readonly RowChanges[] = [];

export interface Follower {
  readonly kind: 'follower';
}
export const FOLLOWER: Follower = { kind: 'follower' };

export type LeapKind = 'ballot' | 'floor';

interface Leap {
  readonly said: number;
  /** Said from then on, */
  readonly since: number;
  /** until then, */
  readonly lastAt: number;
  /** so often. */
  readonly times: number;
}

export interface ReplicaMemory {
  readonly keyed: KeyedRequests;
  readonly recentShare: MemoryShare;
  readonly tombstoneShare: MemoryShare;
  readonly keysShare: MemoryShare;
  /** It began in this life of the shard: all its rows passed here. */
  readonly isOfThisLife: (generation: number) => boolean;
  /** Who has something to purge, or may have. */
  readonly purging: Set<Replica>;
}

/** One partition at this shard: the record in its three ages, and what is volatile (docs/PROTOCOL.md 4.0). */
export class Replica {
  readonly partition: PartitionIndex;
  /** As it will be when all that was gathered is durable. */
  record: PartitionRecord;
  /** As of the last transaction handed out: what ordered storage reads see. */
  handedOut: PartitionRecord;
  durable: PartitionRecord;
  /** By earlier incarnations of this shard. */
  readonly promisedBefore: Ballot;
  /** Null until the map's entry of the record's epoch is known. */
  assignment: PartitionAssignment | null = null;
  voters: readonly ShardOrdinal[] = [];
  /** Voters and learners but this shard. */
  peers: readonly ShardOrdinal[] = [];

  private commitPoint: Revision;
  /** The greatest commit point heard of from anyone; decides nothing. */
  heardCommit: Revision = 0;
  /** Raised by every change of rows that is not a batch in order (4.8). */
  history = 0;

  /** The ballot acknowledged since the start by batch, repair or Confirm (4.4.3); 0 is none. */
  acknowledged: Ballot = 0;
  /** The incarnation of that ballot's owner, as known when it was acknowledged. */
  acknowledgedTo: Incarnation = 0;
  /** The last ballot whose leader said that it never serves again (4.4.7). */
  released: Ballot = 0;
  /** When the leader of the promised ballot was last heard about this partition. */
  leaderHeardAt = NEVER;
  /** Standing earlier would only disturb another candidate. */
  standNotBefore = NEVER;
  private seen: { readonly ballot: Ballot; readonly at: number } = { ballot: 0, at: NEVER };
  /** By what it is of and who said it, the last round or floor that leapt too far to be believed at once. */
  readonly leaps = new Map<`${LeapKind}/${ShardOrdinal}`, Leap>();
  /** The last epoch above the own one that a message named. */
  epochSeen: Epoch = 0;
  /** A candidate of an epoch that this replica has not heard of yet asked for its promise. */
  earlyPrepare: { readonly from: ShardOrdinal; readonly message: Prepare } | null = null;
  /** Passed the partition on though it is preferred, in that incarnation: it is about to end, and is not to get it back. */
  declined: { readonly by: ShardOrdinal; readonly incarnation: Incarnation } | null = null;
  /** Own sending time proven by a fresh stamp, and the commit point that it is good for (4.5.3). */
  fresh: { at: number; commit: Revision } | null = null;

  role: Follower | Candidate | Leader = FOLLOWER;
  catchUp: CatchUp | null = null;
  askedPage: AskedPage | null = null;
  readonly recent: RecentKeys;
  readonly tombstones: Tombstones;
  /** How far the leader of that ballot has purged, or has found that all may (4.6.1). */
  purgeWord: { readonly ballot: Ballot; readonly revision: Revision } = { ballot: 0, revision: 0 };
  /** Complete for this replica's own history, back to its floor (4.7.6). */
  readonly keyed: KeyedRequests;

  /** By generation. */
  private readonly keys = new Map<number, KnownKeys>();
  /** Which was asked for last: mostly it is the only one, and each row asks. */
  private lastKeys: KnownKeys | null = null;
  private lastGeneration = -1;

  wakeAt = Number.POSITIVE_INFINITY;
  /** Row changes gathered for the next transaction, by generation. */
  changes: readonly RowChanges[] = NO_CHANGES;
  /** The id of the last transaction that holds a change of this replica. */
  lastTransaction = 0;

  constructor(
    record: PartitionRecord,
    readonly self: ShardOrdinal,
    private readonly memory: ReplicaMemory,
  ) {
    const { keyed, recentShare, tombstoneShare, purging } = memory;
    this.keyed = keyed;
    this.partition = record.partition;
    this.record = record;
    this.handedOut = record;
    this.durable = record;
    this.promisedBefore = record.promised;
    this.commitPoint = record.commitBound;
    this.recent = new RecentKeys(record.position.revision, RECENT_KEYS_MAX, recentShare);
    this.tombstones = new Tombstones(record.position.revision > 0, tombstoneShare, () => {
      purging.add(this);
    });
  }

  keysOf(generation: number): KnownKeys {
    if (this.lastKeys !== null && generation === this.lastGeneration) return this.lastKeys;
    let keys = this.keys.get(generation);
    if (keys === undefined) {
      const { keysShare, isOfThisLife } = this.memory;
      keys = new KnownKeys(keysShare, isOfThisLife(generation));
      this.keys.set(generation, keys);
    }
    this.lastKeys = keys;
    this.lastGeneration = generation;
    return keys;
  }

  /** Of a generation that is deleted, and whose number is never used again. */
  forgetKeys(generation: number): void {
    this.keys.get(generation)?.forget();
    this.keys.delete(generation);
    if (generation === this.lastGeneration) this.lastKeys = null;
  }

  assign(assignment: PartitionAssignment): void {
    this.assignment = assignment;
    this.voters = votersOf(assignment);
    this.peers = membersOf(assignment).filter((ordinal) => ordinal !== this.self);
  }

  /** A fact about the replica's own history: commitBound <= commit <= position.revision. */
  get commit(): Revision {
    return this.commitPoint;
  }

  /** The commit point moves here and nowhere else: forward, and never past the rows, which end at this revision. */
  advanceCommit(to: Revision, lastRevision = this.record.position.revision): void {
    this.commitPoint = Math.min(Math.max(this.commitPoint, to), lastRevision);
  }

  /** The highest promise heard of lately, to stand above it; 0 is none. */
  highestSeen(now: number): Ballot {
    return now - this.seen.at < SEEN_MS ? this.seen.ballot : 0;
  }

  noteSeen(ballot: Ballot, now: number): void {
    if (ballot >= this.highestSeen(now)) this.seen = { ballot, at: now };
  }

  get isMember(): boolean {
    return this.assignment !== null && isMember(this.assignment, this.self);
  }

  get leader(): Leader | null {
    return this.role.kind === 'leader' ? this.role : null;
  }

  get candidate(): Candidate | null {
    return this.role.kind === 'candidate' ? this.role : null;
  }

  /** Who leads, as far as this replica knows; 0 when it knows of no one. */
  get leaderHint(): ShardOrdinal {
    if (this.role.kind === 'leader') return this.self;
    const { promised } = this.record;
    return this.acknowledged === promised && this.released !== promised ? ownerOf(promised) : 0;
  }

  /** The commit point that is good for the rows in the storage, which may lag behind what is gathered. */
  get commitOfDurableRows(): Revision {
    const { durable, record } = this;
    if (durable === record) return this.commit;
    if (durable.position.ballot !== record.position.ballot) return durable.commitBound;
    if (durable.generation !== record.generation) return durable.commitBound;
    return Math.max(durable.commitBound, Math.min(this.commit, durable.position.revision));
  }

  /** Words of one leader rise. */
  hearPurgeWord(ballot: Ballot, revision: Revision): void {
    const word = this.purgeWord;
    if (ballot < word.ballot || (ballot === word.ballot && revision <= word.revision)) return;
    this.purgeWord = { ballot, revision };
  }

  /** Removed (6.6): nothing of what the rows were holds any more. */
  forgetEverything(): void {
    this.commitPoint = 0;
    this.heardCommit = 0;
    this.fresh = null;
    this.forgetRows(0);
  }

  /** The own state was thrown away or replaced: nothing remembered about rows holds any more. */
  forgetRows(from: Revision): void {
    this.history += 1;
    this.keyed.restart();
    this.recent.reset(from, []);
  }
}
