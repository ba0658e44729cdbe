/**
 * One member of a Raft group, as a machine that only computes: messages, ticks and finished writes go in; what to write,
 * send and apply comes out of `takeReady` (ready.ts has the order). After Ongaro, "Consensus: Bridging Theory and Practice" (2014).
 */
import { invariant, type Prng } from '@ringleader/primitives';
import type { RaftConfig } from './config.js';
import { leaderLost, silentLeader } from './election/leader-lost.js';
import { resetTimer } from './election/roles.js';
import { RaftLog } from './log/raft-log.js';
import { changeConfiguration, type ChangeResult } from './membership/change.js';
import { isJoint } from './membership/configuration.js';
import type { Change } from './membership/plan-change.js';
import { tendMembership } from './membership/tend.js';
import type { MemberState } from './member-state.js';
import type { Message } from './messages.js';
import { Outbox } from './outbox.js';
import { propose, type ProposeResult } from './proposals/propose.js';
import { requestRead } from './read-index/request.js';
import type { PersistBatch, RaftMemberStatus, Ready } from './ready.js';
import { settleByCounting } from './replication/commit.js';
import { replicate } from './replication/replicate.js';
import { compactionLimit, isSnapshotWanted, provideSnapshot, reportSnapshot } from './snapshot/send.js';
import { step } from './step.js';
import { tick } from './tick.js';
import { beginTransfer, isMajorityFull } from './transfer/transfer.js';
import type { Progress } from './tracker/progress.js';
import { memberProgress } from './tracker/member-progress.js';
import type {
  Configuration,
  MemberId,
  Entry,
  HardState,
  LogIndex,
  Proposal,
  ReadContext,
  Snapshot,
  SnapshotPoint,
  Term,
} from './types.js';
import { needsRoom } from './types.js';

/** What a member finds on its disk. */
export interface StoredState {
  readonly hardState: HardState;
  /** The snapshot from which the state machine was restored; without one, the start of the log, and who founded the group. */
  readonly base: { readonly point: SnapshotPoint; readonly configuration: Configuration };
  /** Those after the base. */
  readonly entries: readonly Entry[];
}

/** Of a member that has just founded the group with others, or with `emptyConfiguration` of one that is to join it. */
export function emptyStoredState(configuration: Configuration): StoredState {
  return {
    hardState: { term: 0, vote: 0, commit: 0 },
    base: { point: { index: 0, term: 0 }, configuration },
    entries: [],
  };
}

function newSession(random: Prng): number {
  return random.nextUint32() * 0x20_0000 + random.nextBelow(0x20_0000);
}

interface BatchBeingWritten {
  readonly batch: PersistBatch;
  readonly lastIndex: LogIndex;
}

export class RaftMember {
  readonly #state: MemberState;
  #beingWritten: BatchBeingWritten | null = null;

  constructor(config: RaftConfig, stored: StoredState) {
    const { hardState, base, entries } = stored;
    const { random, rules } = config;
    const log = new RaftLog(
      {
        base: rules.compactedTo(base.point),
        configuration: base.configuration,
        entries,
        commit: hardState.commit,
      },
      rules,
    );
    const session = newSession(random);
    this.#state = {
      config,
      log,
      outbox: new Outbox(config.id, rules),
      session,
      proposalSession: session,
      term: hardState.term,
      vote: hardState.vote,
      leader: 0,
      role: { kind: 'follower' },
      elapsedTicks: 0,
      electionTimeoutTicks: 0,
      ticksSinceLeader: 0,
      nowMs: null,
      notedConfiguration: log.configurations.newest,
      committedConfiguration: null,
      isRemoved: false,
      isDiskFull: false,
      incomingSnapshot: null,
      snapshotToRestore: null,
    };
    resetTimer(this.#state);
  }

  step(message: Message): void {
    step(this.#state, message);
    this.#stepOwn();
  }

  tick(): void {
    tick(this.#state);
    this.#stepOwn();
  }

  propose(proposals: readonly Proposal[]): ProposeResult {
    return propose(this.#state, proposals);
  }

  /**
   * Some were not answered: the leader may have heard a number in this member's name that was never said, and take all up to it for
   * repeats. Those from now on are of another series. Their numbers go on, so that nothing is proposed twice.
   */
  renewProposals(): void {
    this.#state.proposalSession = newSession(this.#state.config.random);
  }

  /** Only at the leader, and one at a time. It changes the voters in two entries, of which the second one follows by itself. */
  changeConfiguration(change: Change): ChangeResult {
    return changeConfiguration(this.#state, change);
  }

  /** False when no leader is known; else `Ready.reads` will name the context, unless a message is lost or the leader changes. */
  requestRead(context: ReadContext): boolean {
    return requestRead(this.#state, context);
  }

  /** To `target`, or to the most advanced. False when this member does not lead or has nobody to hand over to. */
  transferLeadership(target: MemberId | null = null): boolean {
    return beginTransfer(this.#state, target);
  }

  /** `nowMs`: the shell's clock that only goes forward, where reads go by a lease; whatever waits here came before. */
  takeReady(nowMs: number | null = null): Ready {
    const state = this.#state;
    state.nowMs = nowMs;
    tendMembership(state);
    if (state.role.kind === 'leader') replicate(state, state.role);
    const persist = this.#takeBatch();
    this.#stepOwn();
    const restore = state.snapshotToRestore;
    state.snapshotToRestore = null;
    return {
      persist,
      messages: state.outbox.takeMessages(),
      restore,
      committed: state.log.takeToApply(state.config.limits.applyBytesMax),
      reads: state.outbox.takeReads(),
      refused: state.outbox.takeRefused(),
      snapshotWanted: state.role.kind === 'leader' && isSnapshotWanted(state, state.role),
      events: state.outbox.takeEvents(),
    };
  }

  /** The batch is on disk, synced. */
  persisted(id: number): void {
    const written = this.#beingWritten;
    invariant(written?.batch.id === id, 'a batch is persisted that was not handed out');
    this.#beingWritten = null;
    const { log, outbox } = this.#state;
    log.markWritten(written.lastIndex, written.batch.snapshot);
    if (written.batch.snapshot !== null) this.#state.snapshotToRestore = written.batch.snapshot;
    outbox.batchDurable(id);
    settleByCounting(this.#state);
    this.#stepOwn();
  }

  /**
   * The batch does not fit on the disk. Returns what is to be written in its place, which needs no room worth the name; its entries
   * wait, in memory, for `setRoom(true)`.
   */
  withoutRoom(id: number): PersistBatch {
    const written = this.#beingWritten;
    invariant(written?.batch.id === id, 'a batch lacks room that was not handed out');
    const { log, outbox } = this.#state;
    this.#state.isDiskFull = true;
    outbox.deferLog(id);
    log.takeBackToWrite();
    const hardState = this.#hardState();
    const batch = { id, snapshot: written.batch.snapshot, entries: [], hardState };
    this.#beingWritten = { ...written, batch };
    return batch;
  }

  /** Whether the disk has room for entries. Without, the member is read-only, and a leader hands over to one that has. */
  setRoom(hasRoom: boolean): void {
    this.#state.isDiskFull = !hasRoom;
    // There was no room for more of it, and the shell does not keep a part.
    if (!hasRoom) this.#state.incomingSnapshot = null;
    if (hasRoom) this.#state.outbox.resumeLog();
  }

  /** The state machine has applied everything up to `index`: the last of `committed`, or the snapshot restored. */
  applied(index: LogIndex): void {
    this.#state.log.markApplied(index);
  }

  /** A snapshot at or after `upTo` is on disk: the log may forget what is before, and does when nobody needs it. */
  compact(upTo: LogIndex): void {
    const { log, config } = this.#state;
    const index = compactionLimit(this.#state, upTo);
    const term = log.termAt(index);
    if (term !== null) log.compact(config.rules.compactedTo({ index, term }));
  }

  /** In answer to `Ready.snapshotWanted`. */
  provideSnapshot(snapshot: Snapshot): void {
    const { role } = this.#state;
    if (role.kind === 'leader') provideSnapshot(this.#state, role, snapshot);
  }

  /** Whether chunks of what was provided may still be asked for. */
  get isSendingSnapshot(): boolean {
    const { role } = this.#state;
    return role.kind === 'leader' && role.outgoingSnapshot !== null;
  }

  /** The leader, where this member follows it and has missed several of its heartbeats, else 0: the shell may look whether it still runs. */
  get silentLeader(): MemberId {
    return silentLeader(this.#state);
  }

  /** Messages to it are being lost, as far as the shell can tell: they go one at a time until it answers again. A leader that is silent is gone. */
  reportUnreachable(id: MemberId): void {
    if (id !== 0 && this.silentLeader === id) leaderLost(this.#state);
    const progress = this.#progressOf(id);
    if (progress?.state === 'replicate') progress.becomeProbe(progress.match + 1);
  }

  /** The snapshot that it is being sent failed; or it is installed there, by a way of the shell's own. */
  reportSnapshot(id: MemberId, isInstalled: boolean): void {
    const { role } = this.#state;
    const progress = this.#progressOf(id);
    if (role.kind === 'leader' && progress !== null) reportSnapshot(role, progress, isInstalled);
  }

  termAt(index: LogIndex): Term | null {
    return this.#state.log.termAt(index);
  }

  /** The newest one: in force since it was appended. */
  get configuration(): Configuration {
    return this.#state.log.configurations.newest.configuration;
  }

  /** As of the entry `index`: what a snapshot up to there carries. */
  configurationAt(index: LogIndex): Configuration {
    return this.#state.log.configurations.at(index).configuration;
  }

  status(): RaftMemberStatus {
    const { configuration, index } = this.#state.log.configurations.newest;
    const { config, log, role, term, vote, leader } = this.#state;
    return {
      id: config.id,
      configuration,
      configurationIndex: index,
      isJoint: isJoint(configuration),
      term,
      vote,
      leader,
      role: role.kind,
      isDiskFull: this.#state.isDiskFull,
      isMajorityFull: role.kind === 'leader' && isMajorityFull(this.#state, role),
      firstIndex: log.firstIndex,
      lastIndex: log.lastIndex,
      commitIndex: log.commit,
      appliedIndex: log.applied,
      snapshotIndex: log.base.index,
      termStartIndex: role.kind === 'leader' ? role.termStartIndex : 0,
      progress: role.kind === 'leader' ? memberProgress(this.#state, role) : [],
    };
  }

  #progressOf(id: MemberId): Progress | null {
    const { role } = this.#state;
    return role.kind === 'leader' ? role.tracker.of(id) : null;
  }

  #takeBatch(): PersistBatch | null {
    const { log, outbox, isDiskFull } = this.#state;
    const isDeferred = isDiskFull && log.entriesToWrite().some(needsRoom);
    if (isDeferred) outbox.deferLog();
    const taken = outbox.takeBatch();
    if (taken === null) return null;
    const entries = isDeferred ? [] : log.takeToWrite();
    const batch = { ...taken, entries, hardState: this.#hardState() };
    this.#beingWritten = { batch, lastIndex: log.lastIndex };
    return batch;
  }

  /** What is not on the disk with it, it does not call committed. */
  #hardState(): HardState {
    const { log, config, term, vote } = this.#state;
    return config.rules.toWrite({ term, vote, commit: Math.min(log.commit, log.handedToWrite) });
  }

  #stepOwn(): void {
    const { outbox } = this.#state;
    for (let own = outbox.takeToSelf(); own !== undefined; own = outbox.takeToSelf()) step(this.#state, own);
  }
}
