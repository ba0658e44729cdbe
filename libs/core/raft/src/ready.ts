/**
 * What the shell must do for the core. The order, for each thing that happens: persist -> send -> apply -> advance.
 *
 *  1. `persist`: write it, sync it, then call `persisted(id)`. One batch at a time: the next is handed out after that
 *     call (or, where the disk has no room for it, `withoutRoom(id)`). Messages that depend on a batch stay inside the core until then, and come out of a later Ready.
 *  2. `messages`: may be sent at once, also while the batch is being written: a leader replicates to its followers
 *     in parallel with its own disk (thesis 10.2.1), and counts itself only when its disk has it.
 *  3. `restore`, then `committed`: both are durable here. After applying, call `applied(index)`; no more is handed out before.
 *  4. `reads`, `refused`, `events`: tell those who wait.
 */
import type { MemberRole } from './membership/configuration.js';
import type { Message } from './messages.js';
import type { ProgressState } from './tracker/progress.js';
import type {
  Configuration,
  MemberId,
  Entry,
  HardState,
  LogIndex,
  ProposalId,
  ReadState,
  RoleKind,
  Snapshot,
  Term,
} from './types.js';

export interface PersistBatch {
  readonly id: number;
  /** To be installed before the entries are written: whatever of the log does not continue it is void. */
  readonly snapshot: Snapshot | null;
  /** Consecutive. The first one replaces whatever stands at its index and after it. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

export interface Ready {
  readonly persist: PersistBatch | null;
  readonly messages: readonly Message[];
  /** The state machine must become this snapshot, before `committed` is applied. */
  readonly restore: Snapshot | null;
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadState[];
  /** Proposals of this member that are certainly not in the log and never will be. */
  readonly refused: readonly ProposalId[];
  /** A follower is behind the log: call `provideSnapshot` with the newest one. Stays true until then. */
  readonly snapshotWanted: boolean;
  readonly events: readonly RaftEvent[];
}

export type StepDownReason = 'higherTerm' | 'quorumLost' | 'noVoter';

export type RaftEvent =
  /** A message that no honest member says (plausible.ts). */
  | { readonly kind: 'implausible'; readonly from: MemberId; readonly what: string }
  | { readonly kind: 'leaderChanged'; readonly term: Term; readonly leader: MemberId }
  | { readonly kind: 'candidacy'; readonly term: Term; readonly preVote: boolean }
  | { readonly kind: 'steppedDown'; readonly term: Term; readonly reason: StepDownReason }
  /** This leader hands over: its disk stands still, and lacks what is committed with the disks of others. */
  | { readonly kind: 'diskStill'; readonly written: LogIndex; readonly commit: LogIndex }
  /** The newest configuration in the log is another one: it came, or the one that was in its place went with its entry. */
  | {
      readonly kind: 'configurationChanged';
      readonly index: LogIndex;
      readonly configuration: Configuration;
    }
  /** By the committed configuration at `index` this member is none any more: its process ends. */
  | { readonly kind: 'removed'; readonly index: LogIndex }
  | { readonly kind: 'snapshotSending'; readonly to: MemberId; readonly index: LogIndex }
  | { readonly kind: 'snapshotInstalled'; readonly index: LogIndex; readonly term: Term };

/** How far a member has come, as its leader knows it. */
export interface MemberProgress {
  readonly id: MemberId;
  /** Its log is the leader's up to here, on its disk. */
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: ProgressState;
  readonly role: MemberRole;
  readonly heardTicksAgo: number;
}

export interface RaftMemberStatus {
  readonly id: MemberId;
  /** The newest one, in force since it was appended at `configurationIndex`. */
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
  readonly isJoint: boolean;
  readonly term: Term;
  readonly vote: MemberId;
  readonly leader: MemberId;
  readonly role: RoleKind;
  /** It takes in no entries, and proposes none. */
  readonly isDiskFull: boolean;
  /** It leads, and so many disks are full that no other could do more than it. */
  readonly isMajorityFull: boolean;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  /** The entry which opened this leader's term; 0 unless it leads. */
  readonly termStartIndex: LogIndex;
  /** What this leader knows of all members, itself among them; empty unless it leads. */
  readonly progress: readonly MemberProgress[];
}
