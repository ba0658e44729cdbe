/**
 * What shards say to each other. Every message carries partition, epoch and ballot, or is about a pair of shards.
 * Messages may be lost, repeated, delayed and reordered. A shell sends all messages that wait for one destination as one
 * frame; it may split frames between messages, never within one.
 */
import type {
  Ballot,
  Epoch,
  HybridTime,
  Incarnation,
  PartitionIndex,
  Revision,
  ShardOrdinal,
} from '@ringleader/primitives';
import type { Position, RequestMark, Row } from './records.js';
import type { RowDigest } from './storage.js';

interface PartitionMessage {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly ballot: Ballot;
}

/** What a replica says of itself with a promise, a gap or a delta request. */
export interface ReplicaState {
  readonly position: Position;
  readonly commit: Revision;
  readonly purgedTo: Revision;
}

export interface Prepare extends PartitionMessage {
  readonly kind: 'prepare';
}
/** Also said unasked, now and then (4.12.6): what the replica has, and whose ballot it follows. */
export interface Promised extends PartitionMessage, ReplicaState {
  readonly kind: 'promised';
}
/** A Prepare that was not promised. `promised` lets the candidate pick a higher round. */
export interface PrepareRefused extends PartitionMessage {
  readonly kind: 'prepareRefused';
  readonly promised: Ballot;
  /** How long, at most, the granter's lease keeps it from promising (milliseconds); 0 when that is not the reason. */
  readonly retryInMs: number;
}
/** 4.2.1. A barrier is an Accept without rows whose next position has another ballot than the previous one. */
export interface Accept extends PartitionMessage {
  readonly previous: Position;
  readonly next: Position;
  readonly rows: readonly Row[];
  readonly commit: Revision;
}
/** The Accepts of all partitions that wait for one receiver: answered together, by number. */
export interface Accepts {
  readonly kind: 'accepts';
  /** The sender's; numbers begin anew with each. */
  readonly incarnation: Incarnation;
  readonly number: number;
  readonly lease: LeaseStamp;
  readonly batches: readonly Accept[];
}
/** "All batches of that number, but those, are durable here at their ballots": an Accepted for each. */
export interface AcceptsSeen {
  readonly kind: 'acceptsSeen';
  /** The sender's incarnation in the message that is answered. */
  readonly holder: Incarnation;
  readonly number: number;
  readonly lease: LeaseEcho;
  /** Places in the list of batches, ascending: refused, out of place, or gone again. */
  readonly except: readonly number[];
}
/** The acknowledgement of what no Accept brought: a repair, or a copy. */
export interface Accepted extends PartitionMessage {
  readonly kind: 'accepted';
  /** Durable at the message's ballot. */
  readonly revision: Revision;
  readonly lease: LeaseEcho;
}
export interface Gap extends PartitionMessage, ReplicaState {
  readonly kind: 'gap';
}
/** "I am at this promise": the sender's ballot is too low. The receiver steps down if it still leads there. */
export interface Superseded extends PartitionMessage {
  readonly kind: 'superseded';
  readonly promised: Ballot;
}
/** Leader to a replica that is behind: "name your position, base and keys past it". */
export interface RepairOffer extends PartitionMessage {
  readonly kind: 'repairOffer';
  /** Where a copy would begin (its base), should a repair not do. */
  readonly commit: Revision;
  readonly purgedTo: Revision;
}
/** 4.3.2. From a replica to its leader, or from a candidate to the replica that it takes over from. */
export interface DeltaRequest extends PartitionMessage {
  readonly kind: 'deltaRequest';
  readonly position: Position;
  readonly base: Revision;
  readonly keys: readonly string[];
}
export interface Delta extends PartitionMessage {
  readonly kind: 'delta';
  /** The position that the delta was made from: it applies there only. */
  readonly from: Position;
  readonly to: Position;
  readonly rows: readonly Row[];
  /** Named keys which are absent at the source: their rows were never chosen, and go. */
  readonly absent: readonly string[];
  readonly purgedTo: Revision;
  readonly dedupeFloor: HybridTime;
  readonly commit: Revision;
}
/** A repair will not do: the replica begins, or goes on with, a copy (4.3.4). */
export interface CopyRequired extends PartitionMessage {
  readonly kind: 'copyRequired';
  readonly commit: Revision;
  readonly purgedTo: Revision;
}
export interface PageRequest extends PartitionMessage {
  readonly kind: 'pageRequest';
  readonly copyId: number;
  readonly pass: number;
  readonly base: Revision;
  readonly start: string;
  /** In later passes: staged keys past the base, whose present rows are asked for. */
  readonly keys: readonly string[];
}
export interface Page extends PartitionMessage {
  readonly kind: 'page';
  readonly copyId: number;
  readonly pass: number;
  readonly start: string;
  readonly nextKey: string | null;
  readonly rows: readonly Row[];
  readonly absent: readonly string[];
  readonly commit: Revision;
  readonly purgedTo: Revision;
  readonly dedupeFloor: HybridTime;
}
/** The last step of a copy: a delta of the staging generation from `base` (4.3.5). */
export interface FinishRequest extends PartitionMessage {
  readonly kind: 'finishRequest';
  readonly copyId: number;
  readonly base: Revision;
  readonly keys: readonly string[];
}
export interface Finish extends PartitionMessage {
  readonly kind: 'finish';
  readonly copyId: number;
  readonly base: Revision;
  readonly to: Position;
  readonly rows: readonly Row[];
  readonly absent: readonly string[];
  readonly purgedTo: Revision;
  readonly dedupeFloor: HybridTime;
  readonly commit: Revision;
}
/**
 * 4.7.6: the keyed writes that the sender remembers, of its history up to `revision`; complete for what was first attempted
 * after `floor`. The ballot is that of its position: it names the history.
 */
export interface Remembered extends PartitionMessage {
  readonly kind: 'remembered';
  readonly revision: Revision;
  readonly floor: HybridTime;
  readonly marks: readonly RequestMark[];
}
/** "Is my ballot still your promise, and not released?" (4.4.2, 4.5.1). */
export interface Confirm extends PartitionMessage {
  readonly kind: 'confirm';
  /** Counts up per leadership: answers for a read round must be for a Confirm sent after the read arrived. */
  readonly round: number;
  readonly lease: LeaseStamp;
}
export interface Confirmed extends PartitionMessage {
  readonly kind: 'confirmed';
  readonly round: number;
  readonly lease: LeaseEcho;
}
/** 4.4.7. */
export interface Released extends PartitionMessage {
  readonly kind: 'released';
}
export interface ReleaseSeen extends PartitionMessage {
  readonly kind: 'releaseSeen';
}
/** 4.4.8: the successor is at the leader's position and may stand at once. */
export interface Stand extends PartitionMessage {
  readonly kind: 'stand';
}
/** 4.13, from the leader: "what have you got in this range?" */
export interface Verify extends PartitionMessage {
  readonly kind: 'verify';
  /** Counts up per shard: an answer is for one question. */
  readonly round: number;
  readonly start: string;
  readonly end: string | null;
  /** What the digest of the range is to be of; `wantsRows`: a digest for each row, whatever its revision, instead. */
  readonly upTo: Revision;
  readonly purgedTo: Revision;
  readonly wantsRows: boolean;
}
export interface Verified extends PartitionMessage {
  readonly kind: 'verified';
  readonly round: number;
  /** At which it was read, at the message's ballot. */
  readonly revision: Revision;
  readonly purgedTo: Revision;
  /** How far it has read: the question's end, or the first key that did not fit. */
  readonly end: string | null;
  readonly digest: string;
  readonly rows: readonly RowDigest[];
}
/** From the leader, who has another row than most: "give me yours". */
export interface RowWanted extends PartitionMessage {
  readonly kind: 'rowWanted';
  readonly round: number;
  readonly key: string;
}
export interface RowTold extends PartitionMessage {
  readonly kind: 'rowTold';
  readonly round: number;
  /** Null where there is none. */
  readonly digest: string | null;
  readonly rows: readonly Row[];
}
/** "Put this row (or none) in the place of the one with that digest (or of none)." */
export interface Mend extends PartitionMessage {
  readonly kind: 'mend';
  readonly round: number;
  readonly key: string;
  readonly found: string | null;
  readonly rows: readonly Row[];
}
export interface Mended extends PartitionMessage {
  readonly kind: 'mended';
  readonly round: number;
  /** False where the row was another one by then. */
  readonly done: boolean;
}
/** 4.4.1: the holder's sending time as it wrote it. */
export interface LeaseStamp {
  readonly sentAt: number;
}
/** 4.4.1: the granter's incarnation and span, and the holder's sending time. */
export interface LeaseEcho {
  readonly incarnation: Incarnation;
  readonly span: number;
  /** `NO_STAMP` where the acknowledgement (a repair's) answers nothing that carried a stamp: it prolongs nothing. */
  readonly sentAt: number;
}

/** Before every reading of every clock. */
export const NO_STAMP = Number.MIN_SAFE_INTEGER;

/** Between a pair of shards, whatever they lead. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly incarnation: Incarnation;
  readonly lease: LeaseStamp;
}
export interface HeartbeatSeen {
  readonly kind: 'heartbeatSeen';
  /** The incarnation in the heartbeat that is answered: its successor must not count the lease. */
  readonly holder: Incarnation;
  readonly lease: LeaseEcho;
  /** How far the holder's commit points were heard: the greatest `upTo` that follows on all before it. */
  readonly pointsHeard: number;
}

/** What a leader says of its partition where no batch does. */
export interface CommitPoint extends PartitionMessage {
  readonly commit: Revision;
  /** 4.5.3: does a stamp vouch for it? */
  readonly fresh: boolean;
}
/**
 * 4.2.5, 4.5.3: what changed, of all partitions that the sender leads or led, since the receiver had heard everything up
 * to `after`; with it, it has heard everything up to `upTo`. Numbers are the sender's, for this receiver, and begin anew
 * with each of its incarnations.
 */
export interface CommitPoints {
  readonly kind: 'commitPoints';
  readonly incarnation: Incarnation;
  readonly after: number;
  readonly upTo: number;
  readonly points: readonly CommitPoint[];
  /** Vouches for every point that is fresh, for whoever has heard everything up to `upTo`. */
  readonly stamp: FreshStamp | null;
}
export interface FreshStamp {
  /** The receiver's own sending time, of its last heartbeat that the sender saw. */
  readonly echo: number;
  /** The receiver's incarnation in that heartbeat: a restarted receiver cannot read the clock of its predecessor. */
  readonly echoIncarnation: Incarnation;
}

export type ShardMessage =
  | Prepare
  | Promised
  | PrepareRefused
  | Accepts
  | AcceptsSeen
  | Accepted
  | Gap
  | Superseded
  | RepairOffer
  | DeltaRequest
  | Delta
  | CopyRequired
  | PageRequest
  | Page
  | FinishRequest
  | Finish
  | Remembered
  | Confirm
  | Confirmed
  | Released
  | ReleaseSeen
  | Stand
  | Verify
  | Verified
  | RowWanted
  | RowTold
  | Mend
  | Mended
  | CommitPoints
  | Heartbeat
  | HeartbeatSeen;

export interface OutgoingMessage {
  readonly to: ShardOrdinal;
  readonly message: ShardMessage;
}
