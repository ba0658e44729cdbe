/**
 * Drives one member of the Raft core, and is its only stateful loop. Whatever arrives waits in the inbox; once per turn of
 * the event loop all of it goes into the core, and what the core wants done comes out as one Ready: batching from end to end
 * without a fixed delay. One batch is on its way to the disk at a time; meanwhile the loop goes on, and the next batch fills.
 */
import { OperationalError } from '@ringleader/contracts';
import type { LogStorage, RecoveredLog } from '@ringleader/log-storage';
import {
  type Message,
  type RaftMember,
  type Ready,
  type Seat,
  type Seated,
  type SnapshotChunk,
  type SnapshotPoint,
} from '@ringleader/raft';
import { Applier } from './applier.js';
import { GroupChanges, type MemberChangeOutcome, type MemberRequest } from './group-changes.js';
import { Introductions } from './introductions.js';
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

export class RaftShell<Result> implements RaftNode<Result> {
  readonly stopped: Promise<void>;
  readonly #parts: ShellParts<Result>;
  readonly #proposals: PendingProposals<Result>;
  readonly #reads: PendingReads;
  readonly #changes: GroupChanges;
  readonly #leadership = new Leadership();
  readonly #introductions: Introductions;
  readonly #applier: Applier<Result>;
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
  #settle!: { resolve: () => void; reject: (error: Error) => void };

  constructor(parts: ShellParts<Result>) {
    this.#parts = parts;
    this.#proposals = new PendingProposals(parts.settings.proposals);
    this.#reads = new PendingReads(parts.settings.readsMax);
    this.#changes = new GroupChanges(parts.member, parts.nowMs);
    this.#introductions = new Introductions(parts, (applicant) => {
      this.#changes.heard(applicant);
    });
    this.#snapshots = new SnapshotKeeper(parts);
    const listeners = { proposals: this.#proposals, reads: this.#reads, snapshots: this.#snapshots };
    this.#applier = new Applier(parts, listeners, parts.recovered.snapshot.term);
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
        this.#introductions.meet(introduction);
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
      seat,
      seats: roster.seats,
      leader: roster.seatOf(status.leader),
      leading,
    };
  }

  onLeadership(listener: (change: LeadershipChange) => void): () => void {
    return this.#leadership.listen(listener);
  }

  group(): RaftGroup {
    const { member } = this.#parts;
    const { id, configuration, configurationIndex, commitIndex, lastIndex, progress } = member.status();
    const committed = member.configurationAt(commitIndex);
    const { applicants } = this.#changes;
    return { id, configuration, committed, configurationIndex, lastIndex, progress, applicants };
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
    return this.#leadership.goesTo((leader) => leader !== self, timeoutMs);
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
        // Not taken yet: it waits for a leader, or for others to be committed, until its time is over.
        break;
      }
      this.#proposals.handedOver(batch, result.term);
    }
    if (this.#reads.isQuestionDue) this.#reads.askWith((context) => member.requestRead(context));
  }

  #tick(): void {
    const { member, nowMs, onEvent } = this.#parts;
    member.tick();
    if (this.#proposals.expire(nowMs())) member.renewProposals();
    this.#reads.expire(nowMs());
    this.#reads.askAgain();
    this.#introductions.knock();
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
    this.#applier.take(ready.committed);
    const hasApplied = this.#applier.turn();
    this.#answer(ready);
    this.#tendSnapshots(ready.snapshotWanted);
    // There may be more than one turn applies, or one Ready hands out; and what a change of leadership made due.
    if (hasApplied || this.#reads.isQuestionDue) this.#requestTurn();
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
    if (this.#snapshots.isDue) {
      this.#inBackground(this.#snapshots.take().then(() => this.#receiver.tidy()));
    }
  }

  async #restore(point: SnapshotPoint): Promise<void> {
    await this.#applier.restore(point);
    this.#requestTurn();
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
