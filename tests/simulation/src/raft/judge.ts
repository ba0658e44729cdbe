/**
 * Raft's promises (thesis figure 3.2), checked while the run goes on by one who sees all members and their disks at once:
 * election safety, log matching, leader completeness, state machine safety, and that what is acknowledged is on the disks of
 * a majority and seen by every later read.
 */
import type { MemberId } from '@ringleader/primitives';
import {
  entryKinds,
  type EntryKind,
  type Entry,
  type LogIndex,
  type RaftMember,
  type RaftMemberStatus,
  type Ready,
  type Snapshot,
  type Term,
} from '@ringleader/raft';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { AppliedLog } from './applied-log.js';
import type { MemberDisk } from './member-disk.js';
import { type DiskOf, MembershipJudge } from './membership-judge.js';
import type { ReplicatedStore } from './replicated-store.js';

/** An entry as some member had it: in which log it stood is told by the term of the one before. */
interface SeenEntry {
  readonly prevTerm: Term | null;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

export class Judge {
  /** By seat. */
  readonly disks = new Map<MemberId, MemberDisk>();
  readonly membership: MembershipJudge;
  readonly diskOf: DiskOf;
  readonly log: AppliedLog;
  readonly #leaders = new Map<Term, MemberId>();
  readonly #seen = new Map<string, SeenEntry>();
  /** In whose term an entry was committed, which may be later than its own. */
  readonly #committedIn: Term[] = [0];
  /** The whole state at each index at which somebody's state was taken whole, and compared since. */
  readonly #states = new Map<LogIndex, string>();
  #acknowledgedUpTo: LogIndex = 0;

  constructor(diskOf: DiskOf, now: () => number) {
    this.diskOf = diskOf;
    this.log = new AppliedLog(now);
    this.membership = new MembershipJudge(diskOf);
  }

  /** The newest entry whose effect some client knows of. */
  get acknowledgedUpTo(): LogIndex {
    return this.#acknowledgedUpTo;
  }
  get appliedUpTo(): LogIndex {
    return this.log.lastIndex;
  }
  get leaderCount(): number {
    return this.#leaders.size;
  }

  turned(core: RaftMember, ready: Ready, status: RaftMemberStatus): void {
    const { id, role, term, commitIndex } = status;
    const { events, persist } = ready;
    for (const event of events) {
      if (event.kind === 'leaderChanged' && event.leader === id) this.#elected(id, event.term, core);
    }
    this.membership.looksAt(core, status);
    for (const entry of persist?.entries ?? []) this.#matches(id, entry, core);
    this.#isInForce(core, status);
    // A leader that removes itself leads no more in the turn in which it learns that this is committed.
    if (role === 'leader' || events.some(({ kind }) => kind === 'steppedDown')) {
      while (this.#committedIn.length <= commitIndex) this.#committedIn.push(term);
    }
    if (events.some(({ kind }) => kind === 'removed')) this.membership.ends(id, this.#committedIn.length - 1);
  }

  applies(id: MemberId, entry: Entry): void {
    const known = this.log.entry(entry.index);
    if (known !== undefined && (known.term !== entry.term || !areEqual(known.data, entry.data))) {
      throw new SimulationFailure(
        'state machine safety',
        `member ${String(id)} applies ${name(entry)}, but ${name(known)} was applied there`,
      );
    }
    this.membership.applies(entry);
  }

  restored(id: MemberId, snapshot: Snapshot, store: ReplicatedStore): void {
    const known = this.log.entry(snapshot.index);
    if (known !== undefined && known.term !== snapshot.term) {
      const what = `member ${String(id)} installs a snapshot up to ${name(snapshot)}, but ${name(known)} was applied there`;
      throw new SimulationFailure('state machine safety', what);
    }
    this.membership.restored(id, snapshot);
    this.stateAt(id, snapshot.index, store);
  }

  /** All members' states at one index must be the same. */
  stateAt(id: MemberId, index: LogIndex, store: ReplicatedStore): void {
    const state = store.fingerprint();
    const known = this.#states.get(index);
    if (known !== undefined && known !== state) {
      throw new SimulationFailure(
        'state machine safety',
        `member ${String(id)} has another state at ${String(index)}`,
      );
    }
    this.#states.set(index, state);
  }

  acknowledges(core: RaftMember, entry: Entry): void {
    const lack = this.membership.lackOfCopies(entry, core);
    if (lack !== null) {
      throw new SimulationFailure('durability', `${name(entry)} is acknowledged, but ${lack}`);
    }
    this.#acknowledgedUpTo = Math.max(this.#acknowledgedUpTo, entry.index);
  }

  reads(id: MemberId, appliedIndex: LogIndex, floor: LogIndex): void {
    if (appliedIndex >= floor) {
      // The reader's client knows of all this now, so that no later read may show less.
      this.#acknowledgedUpTo = Math.max(this.#acknowledgedUpTo, appliedIndex);
      return;
    }
    const what = `member ${String(id)} reads at ${String(appliedIndex)} what was acknowledged up to ${String(floor)} before it was asked`;
    throw new SimulationFailure('linearizable reads', what);
  }

  #elected(id: MemberId, term: Term, core: RaftMember): void {
    const other = this.#leaders.get(term) ?? id;
    if (other !== id) {
      const what = `members ${String(other)} and ${String(id)} both lead term ${String(term)}`;
      throw new SimulationFailure('election safety', what);
    }
    this.#leaders.set(term, id);
    this.membership.leads(core, term);
    this.#isComplete(id, term, core);
  }

  #isComplete(id: MemberId, term: Term, core: RaftMember): void {
    for (let index = core.status().firstIndex; index <= this.log.lastIndex; index += 1) {
      const entry = this.log.entry(index);
      const isOwed = entry !== undefined && (this.#committedIn[index] ?? term) < term;
      if (!isOwed || core.termAt(index) === entry.term) continue;
      const what = `member ${String(id)} leads term ${String(term)} without ${name(entry)}, which is committed`;
      // Worse than a broken promise of Raft's is one to a client.
      const check = index <= this.#acknowledgedUpTo ? 'acknowledged write lost' : 'leader completeness';
      throw new SimulationFailure(check, what);
    }
  }

  /** A configuration goes when its entry goes (thesis 4.1): where the log has another one, nothing is left of it. */
  #isInForce(core: RaftMember, { id, configurationIndex: index, snapshotIndex }: RaftMemberStatus): void {
    const term = core.termAt(index);
    if (index <= snapshotIndex || term === null) return;
    const kind = this.#seen.get(name({ index, term }))?.kind ?? entryKinds.configuration;
    if (kind === entryKinds.configuration) return;
    const what = `member ${String(id)} goes by a configuration in the place of ${name({ index, term })}`;
    throw new SimulationFailure('configuration in force', what);
  }

  /** By induction over the entry before: same index and term, same log up to there. */
  #matches(id: MemberId, entry: Entry, core: RaftMember): void {
    const key = name(entry);
    const prevTerm = core.termAt(entry.index - 1);
    const known = this.#seen.get(key);
    if (known === undefined) {
      this.#seen.set(key, { prevTerm, kind: entry.kind, data: entry.data });
      return;
    }
    const isSame =
      areEqual(known.data, entry.data) && (known.prevTerm ?? prevTerm) === (prevTerm ?? known.prevTerm);
    if (!isSame)
      throw new SimulationFailure('log matching', `member ${String(id)} has another ${key} than others`);
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function name({ index, term }: { readonly index: LogIndex; readonly term: Term }): string {
  return `entry ${String(index)} of term ${String(term)}`;
}
