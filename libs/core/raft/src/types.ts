import { invariant } from '@ringleader/primitives';

/**
 * A member of a group: a positive integer below 2^53, drawn at random when the member joins and never used again. Whoever has lost
 * its disk has lost its id with it, so that nobody takes it for the member that made promises. 0 is "nobody".
 */
export type MemberId = number;

/** Where a member is found, whoever it is: the number in its name and address, 1 and up. */
export type Seat = number;

/** A member and where it is found. */
export interface Seated {
  readonly seat: Seat;
  readonly id: MemberId;
}

/** Receives the log, and counts nowhere. */
export interface Learner extends Seated {
  /** The voter whose place it takes when it is promoted; 0: none. */
  readonly replaces: MemberId;
  /** The leader promotes it by itself once it has caught up. */
  readonly isPromotedItself: boolean;
}

/** Who is in the group (thesis 4). It is in the log as a whole, and in force from where it is appended (4.1). */
export interface Configuration {
  /** Those who decide; while the configuration is joint, the new set of them. */
  readonly voters: readonly Seated[];
  /** While it is joint, the old set, whose majority is needed as well (4.3); else empty. */
  readonly outgoing: readonly Seated[];
  readonly learners: readonly Learner[];
  /** Never members again; the newest last. */
  readonly removed: readonly MemberId[];
}

/** A leadership number: raised by every election, 0 before the first. */
export type Term = number;

/** Position in the log: the first entry is 1, 0 is "before the first". */
export type LogIndex = number;

/** What an entry is for. Numbers, because they go into files and messages as they are. */
export const entryKinds = {
  /** opens a term, and carries nothing */
  noop: 0,
  command: 1,
  /** carries a `Configuration` */
  configuration: 2,
} as const;
export type EntryKind = (typeof entryKinds)[keyof typeof entryKinds];

export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  /** Opaque to this core. Never changed after it was handed in. */
  readonly data: Uint8Array;
}

/** What a member must remember besides its log (thesis figure 3.1). */
export interface HardState {
  readonly term: Term;
  /** Whom it voted for in `term`; 0 is nobody. */
  readonly vote: MemberId;
  /** Only a hint: what was known to be committed when something else was written. Never above the last entry written. */
  readonly commit: LogIndex;
}

/** The point of the log up to which a snapshot holds everything. */
export interface SnapshotPoint {
  readonly index: LogIndex;
  readonly term: Term;
}

/** As far as its chunks have come, from this leader in this term. */
export interface IncomingSnapshot {
  readonly from: MemberId;
  readonly term: Term;
  readonly point: SnapshotPoint;
  readonly chunkCount: number;
  /** Comes with the first chunk. */
  configuration: Configuration | null;
  readonly chunks: Map<number, Chunk>;
  firstMissing: number;
}

/** Bytes, or what the shell has in their place: it need not hold all of a snapshot, and the core does not look into it. */
export interface Chunk {
  readonly byteLength: number;
}

/** For shells that hold them. */
export function chunkBytes(chunk: Chunk): Uint8Array {
  invariant(chunk instanceof Uint8Array, 'a chunk is not at hand');
  return chunk;
}

export interface Snapshot extends SnapshotPoint {
  /** As of its index: the entries that told it are no longer needed. */
  readonly configuration: Configuration;
  readonly chunks: readonly Chunk[];
}

/** What a proposer calls its proposal: unique and rising within one run of its process. */
export type ProposalId = number;

export interface Proposal {
  readonly id: ProposalId;
  readonly data: Uint8Array;
}

/** What a reader calls its question: unique and rising within one run of its process. */
export type ReadContext = number;

/** The question `context` is answered: any state that has applied at least `index` may be read. */
export interface ReadState {
  readonly context: ReadContext;
  readonly index: LogIndex;
}

export type RoleKind = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What opens a term is as small as a vote, and has the same reserve on a full disk: else nobody could lead there, and answer reads. */
export function needsRoom(entry: Entry): boolean {
  return entry.kind !== entryKinds.noop;
}

/** How many bytes an entry is taken to cost in a message: its data and what surrounds it. */
export function entrySizeBytes(entry: Entry): number {
  return entry.data.byteLength + 24;
}
