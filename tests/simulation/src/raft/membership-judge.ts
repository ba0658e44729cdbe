/** What a group that changes owes (thesis 4), by one who knows every configuration that a leader ever had in force. */
import type { MemberId } from '@ringleader/primitives';
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  type Entry,
  entryKinds,
  idsOf,
  isJoint,
  learnerOf,
  type LogIndex,
  majorityOf,
  type PlacedConfiguration,
  type RaftMember,
  type RaftMemberStatus,
  type Snapshot,
  type Term,
} from '@ringleader/raft';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { MemberDisk } from './member-disk.js';

/** Null for a member whose disk is lost: nobody can tell any more what it had. */
export type DiskOf = (id: MemberId) => MemberDisk | null;

interface SeenConfiguration extends PlacedConfiguration {
  readonly term: Term;
}

export class MembershipJudge {
  readonly #diskOf: DiskOf;
  readonly #seen = new Map<string, SeenConfiguration>();
  /** Those that were applied, in the order of the log, behind that of the founders. */
  readonly #applied: SeenConfiguration[] = [];

  constructor(diskOf: DiskOf) {
    this.#diskOf = diskOf;
  }

  /** How often the group has changed. */
  get changeCount(): number {
    return this.#applied.length;
  }

  /** In force, or still able to come into force. */
  inPlay(): Configuration[] {
    const floor = this.#applied.at(-1)?.index ?? 0;
    return [...this.#seen.values()].filter(({ index }) => index >= floor).map((seen) => seen.configuration);
  }

  looksAt(core: RaftMember, status: RaftMemberStatus): void {
    const { role, configuration, configurationIndex: index } = status;
    const term = core.termAt(index);
    if (role !== 'leader' || term === null) return;
    const key = `${String(index)}.${String(term)}`;
    if (this.#seen.has(key)) return;
    if (term === status.term) this.#introduces(core, { index, term, configuration });
    this.#seen.set(key, { index, term, configuration });
  }

  /** In a joint configuration each set has voted for the leader: by what its disks say, of those that are still in that term. */
  leads(core: RaftMember, term: Term): void {
    const { id, configuration } = core.status();
    if (!isJoint(configuration)) return;
    const hasVoted = (voter: MemberId): boolean => this.#diskOf(voter)?.mayHaveVoted(id, term) ?? true;
    if (areMajorities(configuration, hasVoted)) return;
    const what = `member ${String(id)} leads term ${String(term)} without a majority of each set`;
    throw new SimulationFailure('joint majorities', what);
  }

  #introduces(core: RaftMember, { index, configuration }: SeenConfiguration): void {
    const { id, termStartIndex } = core.status();
    if (isJoint(configuration)) {
      this.#areReady(id, configuration, termStartIndex - 1);
      return;
    }
    const before = [...this.#seen.values()].findLast(
      (placed) => placed.index < index && core.termAt(placed.index) === placed.term,
    );
    if (before === undefined || !isJoint(before.configuration)) return;
    const isCopy = (voter: MemberId): boolean => this.#diskOf(voter)?.has(before.index, before.term) ?? true;
    if (areMajorities(before.configuration, isCopy)) return;
    const what = `member ${String(id)} leaves the joint configuration ${String(before.index)}, which not each set has on a majority of its disks`;
    throw new SimulationFailure('joint majorities', what);
  }

  applies({ index, term, kind, data }: Entry): void {
    if (kind !== entryKinds.configuration || index <= (this.#applied.at(-1)?.index ?? 0)) return;
    this.#applied.push({ index, term, configuration: decodeConfiguration(data) });
  }

  /** A snapshot says who is in the group, as the entries would have said that it stands for. */
  restored(id: MemberId, { index, configuration }: Snapshot): void {
    const applied = this.#applied.findLast((placed) => placed.index <= index)?.configuration;
    const expected = applied ?? this.#seen.get('0.0')?.configuration;
    if (expected === undefined || areSame(expected, configuration)) return;
    const what = `member ${String(id)} installs a snapshot up to ${String(index)} with another configuration than the log's`;
    throw new SimulationFailure('configuration of snapshots', what);
  }

  /** Null when some configuration that may have decided about the entry has it on a majority of the disks of each of its sets. */
  lackOfCopies({ index, term }: Entry, core: RaftMember): string | null {
    const later = [...this.#seen.values()].filter((placed) => placed.index > index);
    const deciding = [core.configurationAt(index), ...later.map((placed) => placed.configuration)];
    const isCopy = (id: MemberId): boolean => this.#diskOf(id)?.has(index, term) ?? true;
    if (deciding.some((configuration) => areMajorities(configuration, isCopy))) return null;
    const ids = idsOf(core.configurationAt(index).voters);
    return `on ${String(ids.filter(isCopy).length)} of ${String(ids.length)} disks`;
  }

  /** Nobody ends but who is removed by a configuration that is committed. */
  ends(id: MemberId, committedUpTo: LogIndex): void {
    for (const { index, configuration } of this.#seen.values()) {
      if (index <= committedUpTo && configuration.removed.includes(id)) return;
    }
    const what = `member ${String(id)} ends, and no committed configuration has removed it`;
    throw new SimulationFailure('removal', what);
  }

  /** A learner that is to vote has had what the log was when it came, or when its leader did: a round has been done with it. */
  #areReady(leader: MemberId, { voters, outgoing }: Configuration, termStart: LogIndex): void {
    const before = new Set(idsOf(outgoing));
    for (const id of idsOf(voters).filter((voter) => !before.has(voter))) {
      const added = [...this.#seen.values()].filter(({ configuration }) => learnerOf(configuration, id));
      const owed = Math.max(termStart, Math.min(...added.map(({ index }) => index)));
      const lastIndex = this.#diskOf(id)?.lastIndex ?? owed;
      if (lastIndex >= owed) continue;
      const what = `member ${String(leader)} makes ${String(id)} a voter, whose disk ends at ${String(lastIndex)} and not behind ${String(owed)}`;
      throw new SimulationFailure('readiness of voters', what);
    }
  }
}

export function areMajorities({ voters, outgoing }: Configuration, has: (id: MemberId) => boolean): boolean {
  const sets = outgoing.length > 0 ? [voters, outgoing] : [voters];
  return sets.every((set) => idsOf(set).filter(has).length >= majorityOf(set.length));
}

function areSame(a: Configuration, b: Configuration): boolean {
  const [left, right] = [encodeConfiguration(a), encodeConfiguration(b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}
