/**
 * Drives one member of the Raft core, and is its only stateful loop. Whatever arrives waits in the inbox; once per turn of
 * the event loop all of it goes into the core, and what the core wants done comes out as one Ready: batching from end to end
 * without a fixed delay. One batch is on its way to the disk at a time; meanwhile the loop goes on, and the next batch fills.
 */
import { OperationalError } from '@ringleader/contracts';
import type { LogStorage, RecoveredLog } from '@ringleader/log-storage';
import {
  type Entry,
  entryKinds,
  type Introduction,
  MEMBERS_MAX,
  type Message,
  type RaftMember,
  type Ready,
  type Seat,
  type Seated,
  type SnapshotChunk,
  type SnapshotPoint,
} from '@ringleader/raft';
import { GroupChanges, type MemberChangeOutcome, type MemberRequest } from './group-changes.js';
import { LeaderWatch } from './leader-watch.js';
import { LogWriter } from './log-writer.js';
import { Leadership, type Roster, leadershipOf } from './roster.js';
import { PendingProposals } from './pending-proposals.js';
import { PendingReads } from './pending-reads.js';
import type { RaftNodeEvent } from './raft-events.js';
import type {
  LeadershipChange,
  ProposalOutcome,
  RaftGroup,
  RaftNode,
  RaftSettings,
  RaftStatus,
  RaftTransport,
  ReadBarrierOutcome,
  StateMachine,
} from './raft-node.js';
import { SnapshotKeeper } from './snapshot-keeper.js';
import { SnapshotReceiver } from './snapshot-receiver.js';
import { SnapshotSender } from './snapshot-sender.js';
import { restoreFrom } from './stored-snapshot.js';

export interface ShellParts<Result> {
  readonly member: RaftMember;
  readonly roster: Roster;
  readonly seat: Seat;
  /** Empty where it has joined a group that others founded. */
  readonly founders: readonly Seated[];
  readonly storage: LogStorage;
  readonly recovered: RecoveredLog;
  readonly transport: RaftTransport;
  readonly stateMachine: StateMachine<Result>;
  readonly settings: RaftSettings;
  /** Milliseconds that only go forward. */
  readonly nowMs: () => number;
  readonly onEvent: (event: RaftNodeEvent) => void;
}

/** Where there may be members. */
const SEATS = Array.from({ length: MEMBERS_MAX }, (_, i) => i + 1);
const APPLY_EVERY_MS = 1_000;

export class RaftShell<Result> implements RaftNode<Result> {
  readonly stopped: Promise<void>;
  readonly #parts: ShellParts<Result>;
  readonly #proposals: PendingProposals<Result>;
  readonly #reads: PendingReads;
  readonly #changes: GroupChanges;
  readonly #leadership = new Leadership();
  readonly #snapshots: SnapshotKeeper;
  readonly #receiver: SnapshotReceiver;
  readonly #sender: SnapshotSender;
  readonly #writer: LogWriter;
  readonly #leaderWatch: LeaderWatch;
  readonly #ticker: NodeJS.Timeout;
  #inbox: Message[] = [];
  #droppedMessages = 0;
  #ticksDue = 0;
  #isTurnDue = false;
  #isStopping = false;
  /** What runs beside the loop: the write of a batch, of a snapshot, the reading of one. */
  readonly #background = new Set<Promise<void>>();
  #restoring = Promise.resolve();
  #lastAppliedTerm: number;
  #introducedAtMs = Number.NEGATIVE_INFINITY;
  #settle!: { resolve: () => void; reject: (error: Error) => void };

  constructor(parts: ShellParts<Result>) {
    this.#parts = parts;
    this.#proposals = new PendingProposals(parts.settings.proposals);
    this.#reads = new PendingReads(parts.settings.readsMax);
    this.#changes = new GroupChanges(parts.member, parts.nowMs);
    this.#snapshots = new SnapshotKeeper(parts.storage, parts.settings);
    this.#receiver = new SnapshotReceiver(parts.member, parts.storage, (chunk) => {
      this.#receive([chunk]);
    });
    this.#sender = new SnapshotSender(parts.member, parts.storage, parts.founders);
    this.#leaderWatch = new LeaderWatch(parts.member, parts.roster, parts.transport);
    this.#writer = new LogWriter(parts.member, parts.storage, this.#receiver);
    parts.storage.onRoom((hasRoom) => {
      parts.onEvent({ kind: hasRoom ? 'diskHasRoom' : 'diskFull' });
      this.#requestTurn();
    });
    this.#lastAppliedTerm = parts.recovered.snapshot.term;
    this.stopped = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Who never asks how the node ended must not end the process by an unhandled rejection.
    this.stopped.catch(() => undefined);
    parts.transport.receive({
      messages: (messages, from) => {
        if (messages.every((message) => parts.roster.admit(from, message.from))) this.#takeOff(messages);
        else parts.onEvent({ kind: 'frameRefused', reason: `seat ${String(from)} speaks for another` });
      },
      introduction: (introduction) => {
        this.#meet(introduction);
      },
      malformed: (reason) => {
        parts.onEvent({ kind: 'frameRefused', reason });
      },
    });
    this.#ticker = setInterval(() => {
      this.#ticksDue += 1;
      this.#requestTurn();
    }, parts.settings.tickMs);
  }

  propose(command: Uint8Array, timeoutMs: number): Promise<ProposalOutcome<Result>> {
    if (this.#isStopping) return Promise.resolve({ kind: 'unavailable' });
    const outcome = this.#proposals.add(command, this.#parts.nowMs(), timeoutMs);
    this.#requestTurn();
    return outcome;
  }

  readBarrier(timeoutMs: number): Promise<ReadBarrierOutcome> {
    if (this.#isStopping) return Promise.resolve({ kind: 'unavailable' });
    const outcome = this.#reads.add(this.#parts.nowMs(), timeoutMs);
    this.#requestTurn();
    return outcome;
  }

  status(): RaftStatus {
    const { member, roster, seat } = this.#parts;
    const status = member.status();
    const leading = !this.#isStopping && this.#leadership.current.leading;
    return {
      ...status,
      memberId: seat,
      members: roster.seats,
      leader: roster.seatOf(status.leader),
      leading,
    };
  }

  onLeadership(listener: (change: LeadershipChange) => void): () => void {
    return this.#leadership.listen(listener);
  }

  group(): RaftGroup {
    const { id, configuration, configurationIndex, lastIndex, progress } = this.#parts.member.status();
    const { applicants } = this.#changes;
    return { id, configuration, configurationIndex, lastIndex, progress, applicants };
  }

  changeMembers(request: MemberRequest, timeoutMs: number): Promise<MemberChangeOutcome> {
    if (this.#isStopping) return Promise.resolve({ kind: 'unavailable' });
    const outcome = this.#changes.change(request, timeoutMs);
    this.#requestTurn();
    return outcome;
  }

  transferLeadership(timeoutMs: number, to?: Seat): Promise<boolean> {
    const { member, seat: self } = this.#parts;
    const target = to === undefined ? null : member.configuration.voters.find(({ seat }) => seat === to)?.id;
    if (this.#isStopping || target === undefined || !member.transferLeadership(target))
      return Promise.resolve(false);
    this.#requestTurn();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        unsubscribe();
        resolve(false);
      }, timeoutMs);
      const unsubscribe = this.#leadership.listen(({ leader }) => {
        if (leader === self || leader === 0) return;
        clearTimeout(timer);
        queueMicrotask(() => {
          unsubscribe();
        });
        resolve(true);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#isStopping) return this.stopped;
    const { settings, member } = this.#parts;
    if (member.status().role === 'leader') {
      await this.transferLeadership(2 * settings.timings.electionTimeoutTicks * settings.tickMs);
    }
    await this.#end(null);
    return this.stopped;
  }

  /** What a chunk carries goes to the disk before the core hears of it. */
  #takeOff(messages: readonly Message[]): void {
    if (this.#isStopping) return;
    for (const message of messages)
      if (message.kind === 'snapshotChunk') this.#inBackground(this.#receiver.take(message));
    this.#receive(messages.filter(({ kind }) => kind !== 'snapshotChunk'));
  }

  #receive(messages: readonly Message[]): void {
    if (this.#isStopping) return;
    if (this.#inbox.length + messages.length > this.#parts.settings.inboxMessagesMax) {
      this.#droppedMessages += messages.length;
    } else {
      this.#inbox.push(...messages);
    }
    this.#requestTurn();
  }

  /** Who waits to be let in; or who founds a cluster: a founder who has not heard that it has begun, or a lost disk. */
  #meet({ seat, id, isQuestion, founders: told }: Introduction): void {
    const { transport, roster, founders, onEvent, seat: self, member } = this.#parts;
    if (!isQuestion || member.status().id === id) return;
    if (told?.length === 0) {
      this.#changes.heard({ seat, id });
      return;
    }
    if (seat === self || roster.members.length === 0) return;
    const isMember = roster.has(id);
    if (isMember && founders.length === 0) return;
    if (!isMember) onEvent({ kind: 'strangerRefused', seat, id });
    const known = { founders: isMember ? founders : roster.members, isBegun: true, isQuestion: false };
    transport.introduce(seat, { seat: self, id: member.status().id, ...known });
  }

  /** Until it is in the group, so that an operator can let it in. */
  #knock(): void {
    const { member, roster, transport, seat, founders, nowMs } = this.#parts;
    const { id } = member.status();
    if (founders.length > 0 || roster.has(id) || nowMs() - this.#introducedAtMs < APPLY_EVERY_MS) return;
    this.#introducedAtMs = nowMs();
    for (const to of SEATS) transport.introduce(to, { seat, id, founders, isBegun: true, isQuestion: true });
  }

  /** At the end of this turn of the event loop, so that all that arrived in it is taken together. */
  #requestTurn(): void {
    if (this.#isTurnDue || this.#isStopping) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      if (this.#isStopping) return;
      try {
        this.#takeIn();
        this.#carryOut(this.#parts.member.takeReady(this.#parts.nowMs()));
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #takeIn(): void {
    const { member, settings } = this.#parts;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const message of inbox) member.step(message);
    for (; this.#ticksDue > 0; this.#ticksDue -= 1) this.#tick();
    while (this.#proposals.hasQueued) {
      const batch = this.#proposals.nextBatch(settings.limits.appendBytesMax);
      const result = member.propose(batch);
      if (result.kind === 'refused') {
        if (result.reason === 'diskFull') this.#proposals.refuseQueued();
        // Refused for now: it waits for a leader, or for others to be committed, until its time is over.
        break;
      }
      this.#proposals.handedOver(batch, result.term);
    }
    if (this.#reads.isQuestionDue) this.#reads.askWith((context) => member.requestRead(context));
  }

  #tick(): void {
    const { member, nowMs, onEvent } = this.#parts;
    member.tick();
    this.#proposals.expire(nowMs());
    this.#reads.expire(nowMs());
    this.#reads.askAgain();
    this.#knock();
    this.#inBackground(this.#leaderWatch.look());
    if (this.#sender.isDone) this.#inBackground(this.#sender.close());
    if (this.#droppedMessages === 0) return;
    onEvent({ kind: 'inboxFull', dropped: this.#droppedMessages });
    this.#droppedMessages = 0;
  }

  /** Persist, send, apply, advance: the core has held back what must wait for the disk. */
  #carryOut(ready: Ready): void {
    this.#parts.roster.follow(this.#parts.member.configuration);
    if (ready.persist !== null) {
      this.#inBackground(
        this.#writer.write(ready.persist).then(() => {
          this.#requestTurn();
        }),
      );
    }
    this.#send(ready.messages);
    if (ready.restore !== null) this.#inBackground(this.#restore(ready.restore));
    if (ready.committed.length > 0) this.#apply(ready.committed);
    this.#answer(ready);
    this.#tendSnapshots(ready.snapshotWanted);
    // There may be more that is committed than one Ready hands out; and what a change of leadership made due.
    if (ready.committed.length > 0 || this.#reads.isQuestionDue) this.#requestTurn();
  }

  #send(messages: readonly Message[]): void {
    const { transport, roster } = this.#parts;
    for (const [to, group] of Map.groupBy(messages, (message) => message.to)) {
      const seat = roster.seatOf(to);
      if (seat === 0) continue;
      const rest = group.filter((message) => message.kind !== 'snapshotChunk');
      if (rest.length > 0) transport.send(seat, rest);
      for (const message of group) if (message.kind === 'snapshotChunk') this.#sendChunk(seat, message);
    }
  }

  #sendChunk(seat: Seat, message: SnapshotChunk): void {
    const sent = this.#sender.send(message, (chunk) => {
      this.#parts.transport.send(seat, [chunk]);
    });
    this.#inBackground(sent);
  }

  #answer({ reads, refused, events }: Ready): void {
    const { member, roster, onEvent } = this.#parts;
    const status = member.status();
    for (const read of reads) this.#reads.answered(read, status.appliedIndex);
    if (status.isDiskFull) this.#reads.refuseBeyond(status.lastIndex);
    this.#proposals.refused(refused);
    this.#changes.tend();
    for (const event of events) onEvent(roster.withSeats(event));
    if (events.some(({ kind }) => kind === 'removed')) this.#fail(memberRemoved(this.#parts.seat));
    if (this.#leadership.update(leadershipOf(status, roster))) this.#reads.askAgain();
  }

  #tendSnapshots(isWanted: boolean): void {
    if (isWanted && !this.#sender.isProviding) {
      this.#inBackground(
        this.#sender.provide().then(() => {
          this.#requestTurn();
        }),
      );
    }
    if (this.#snapshots.isDue) this.#inBackground(this.#takeSnapshot());
  }

  /** Meanwhile nothing is applied, and the state before is served: the core hands out no more until it hears of it. */
  #restore({ index, term }: SnapshotPoint): Promise<void> {
    this.#restoring = this.#restoring.then(async () => {
      const { member, stateMachine, storage } = this.#parts;
      await restoreFrom(await storage.openSnapshot({ index, term }), stateMachine);
      member.applied(index);
      this.#lastAppliedTerm = term;
      this.#proposals.skippedTo(term);
      this.#reads.applied(index);
      this.#requestTurn();
    });
    return this.#restoring;
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.term > this.#lastAppliedTerm) {
        this.#lastAppliedTerm = entry.term;
        this.#proposals.termApplied(entry.term);
      }
      if (entry.kind === entryKinds.command) this.#applyCommand(entry);
      this.#snapshots.countApplied(entry);
    }
    const last = entries.at(-1)!.index;
    this.#parts.member.applied(last);
    this.#reads.applied(last);
  }

  #applyCommand({ index, term, data }: Entry): void {
    const { ownId, command } = this.#proposals.open(data);
    const result = this.#parts.stateMachine.apply({ index, term, command });
    if (ownId !== null) this.#proposals.applied(ownId, index, result);
  }

  async #takeSnapshot(): Promise<void> {
    const { member, stateMachine, onEvent } = this.#parts;
    const index = member.status().appliedIndex;
    const term = member.termAt(index);
    // The log has given way to a snapshot of the leader's, which is not applied yet: it is still due then.
    if (term === null) return;
    const configuration = member.configurationAt(index);
    const taken = await this.#snapshots.take({ index, term, configuration }, stateMachine.snapshot());
    if (taken === null) return;
    member.compact(taken.compactTo);
    onEvent({ kind: 'snapshotTaken', index, sizeBytes: taken.sizeBytes });
  }

  #inBackground(work: Promise<void>): void {
    const guarded = work
      .catch((error: unknown) => {
        this.#fail(error);
      })
      .finally(() => {
        this.#background.delete(guarded);
      });
    this.#background.add(guarded);
  }

  /** A broken invariant, or a disk that failed: nothing of this member can be trusted any more. */
  #fail(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    if (!this.#isStopping) void this.#end(reason);
  }

  async #end(reason: Error | null): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#ticker);
    this.#parts.transport.close();
    this.#proposals.end();
    this.#reads.end();
    this.#changes.end();
    this.#writer.end();
    const { term } = this.#leadership.current;
    this.#leadership.update({ term, leader: 0, leading: false });
    if (reason !== null) this.#settle.reject(reason);
    await Promise.all(this.#background);
    // A disk that fails has been told of by now, and a start removes what is left of snapshots: the log is to be let go in any case.
    await Promise.allSettled([this.#receiver.end(), this.#sender.close()]);
    await this.#parts.storage.close().then(this.#settle.resolve, this.#settle.reject);
  }
}

function memberRemoved(seat: Seat): OperationalError {
  const name = `coordinator-${String(seat)}`;
  return new OperationalError(
    'MEMBER_REMOVED',
    `${name} was removed from the group of coordinators and takes no part in it any more: leave it stopped, and delete its data folder. To join anew, start it with an empty data folder and RINGLEADER_BOOTSTRAP=join, then \`ringleader coordinator add ${name}\``,
    { seat },
  );
}
