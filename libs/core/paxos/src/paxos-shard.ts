/**
 * Multi-Paxos for all partitions of one shard, as a state machine: messages, requests, clock readings and storage
 * results go in, `takeReady` says what to persist, read, send and answer. No I/O, no clock, no timers.
 */
import type { Incarnation, Prng, ShardOrdinal } from '@ringleader/primitives';
import { CopyPace } from './catch-up/copy-pace.js';
import { flushBatches } from './accept/batch-sender.js';
import type { ShardParts } from './parts.js';
import { answerEarly, dispatch } from './dispatch.js';
import { BackOff } from './leadership/back-off.js';
import { OwnPace } from './leadership/own-pace.js';
import { candidacyDue, electionDue } from './election/stand.js';
import { giveUp } from './leadership/step-down.js';
import { AcceptsSent } from './pair/accepts-sent.js';
import { NO_BACKLOG, RowsServed, type PeerBacklog } from './pair/backlog.js';
import { ClockJump } from './pair/clock-jump.js';
import { Grants } from './pair/grants.js';
import { considerHandover, hasLivingPeer, passOnNow } from './leadership/handover.js';
import { ownerOf } from './ballot.js';
import { callRoll, RollCall } from './accept/roll-call.js';
import { beatAsLeader, leadershipDue } from './accept/upkeep.js';
import { beatToPeers, tellPoints } from './pair/heartbeats.js';
import { Holdings } from './pair/holdings.js';
import { hasLease, startConfirmRound } from './leadership/lease.js';
import { moveReports, type EstimateBytes } from './leadership/moves.js';
import { restartWaitEnds } from './leadership/protection.js';
import { Peers } from './pair/peers.js';
import { PointsHeard } from './pair/points-heard.js';
import { PointsTold } from './pair/points-told.js';
import { Releases } from './pair/releases.js';
import type { ShardMessage } from './messages.js';
import { Outbox } from './outbox.js';
import { learnAssignment, newReplica } from './election/assignments.js';
import { generationsOf } from './partition/generations.js';
import type { Replica } from './partition/replica.js';
import { Wakeups } from './partition/wakeups.js';
import { purgeAtBeat, purgingOf } from './purge/purger.js';
import { Purges } from './purge/purges.js';
import { ReadQueue } from './read-queue.js';
import type {
  MoveReport,
  PartitionAssignment,
  PartitionStatus,
  PaxosLimits,
  PaxosTimings,
  PurgeStatus,
  Ready,
  VerificationPace,
  VerificationRun,
} from './ready.js';
import type { PartitionRecord } from './records.js';
import { catchUpDue } from './catch-up/session.js';
import type { ShardRequest } from './requests.js';
import { RULES, type PaxosRules } from './rules/rules.js';
import type { StampTime, StorageReadResult } from './storage.js';
import { submit } from './submit.js';
import { TransactionBuilder } from './transaction-builder.js';
import { Admission } from './admission.js';
import { verifyDue } from './verify/leader-side.js';
import { Verifier } from './verify/verifier.js';
import { MemoryShare } from './partition/memory-share.js';
import { RowCache } from './partition/row-cache.js';

export interface PaxosShardOptions {
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
  readonly timings: PaxosTimings;
  readonly limits: PaxosLimits;
  /** What the storage holds, each partition once. */
  readonly records: readonly PartitionRecord[];
  readonly stamp: StampTime;
  readonly prng: Prng;
  readonly rules?: PaxosRules;
  /** Absent: what is sent has left at once. */
  readonly backlog?: PeerBacklog;
  /** Absent: partitions are compared on demand only (4.13). */
  readonly verification?: VerificationPace;
  /** Monotonic milliseconds: the restart wait (4.4.4) counts from here. */
  readonly startedAt: number;
  /** Absent: an interval after the one before. */
  readonly nextBeat?: NextBeat;
}

/** When the beat after the present one is due, on the monotonic clock. */
export type NextBeat = (now: number, wallNow: number) => number;

/**
 * At whole multiples of the interval, by the wall clock: shards whose clocks agree beat together, so that what they say to
 * each other comes in few reads and leaves in few writes. Never sooner than a quarter of an interval after the one before.
 */
export function togetherEvery(intervalMs: number): NextBeat {
  return (now, wallNow) => {
    const untilMs = intervalMs - (wallNow % intervalMs);
    return now + (untilMs < intervalMs / 4 ? untilMs + intervalMs : untilMs);
  };
}

export class PaxosShard {
  private readonly context: ShardParts;
  private everyone: readonly ShardOrdinal[] = [];
  private nextBeatAt: number;
  private readonly nextBeat: NextBeat;
  private readonly roll = new RollCall();

  constructor(options: PaxosShardOptions) {
    this.context = createContext(options);
    this.nextBeatAt = options.startedAt;
    this.nextBeat = options.nextBeat ?? ((now) => now + options.timings.heartbeatIntervalMs);
    for (const record of options.records) {
      this.context.replicas.set(record.partition, newReplica(this.context, record));
    }
  }

  /** Entries of the map that are new or have changed, from the coordinator only. */
  learnMap(assignments: readonly PartitionAssignment[], now: number): void {
    this.context.now = now;
    for (const assignment of assignments) {
      learnAssignment(this.context, assignment);
      answerEarly(this.context, assignment);
    }
    const everyone = new Set<ShardOrdinal>();
    for (const replica of this.context.replicas.values()) {
      if (replica.isMember) for (const peer of replica.peers) everyone.add(peer);
    }
    this.everyone = [...everyone].sort((a, b) => a - b);
  }

  receive(from: ShardOrdinal, message: ShardMessage, now: number): void {
    this.context.now = now;
    dispatch(this.context, from, message);
  }

  submit(request: ShardRequest, now: number): void {
    this.context.now = now;
    this.context.copyPace.sawUsers(now);
    submit(this.context, request);
  }

  transactionDurable(id: number, now: number): void {
    this.context.now = now;
    this.context.pace.transactionEnds(now);
    this.context.transactions.durable(id);
  }

  readDone(result: StorageReadResult, now: number): void {
    this.context.now = now;
    this.context.reads.done(result);
  }

  /**
   * To be called by `nextDeadline`, and first in every turn in which other inputs are handed in: the machine may have
   * been suspended since the last one, and the leases held with it.
   */
  tick(now: number, wallNow: number): void {
    this.context.now = now;
    this.context.pace.look(now, this.nextDeadline());
    if (this.context.clockJump.look(now, wallNow)) this.context.holdings.dropAll(now);
    if (now >= this.nextBeatAt) {
      const lateByMs = now - this.nextBeatAt;
      this.context.pace.beat(lateByMs);
      this.context.copyPace.beat(lateByMs, now);
      this.nextBeatAt = this.nextBeat(now, wallNow);
      this.beat();
    }
    for (;;) {
      const replica = this.context.wakeups.takeDue(now);
      if (replica === null) break;
      this.wake(replica);
    }
    verifyDue(this.context);
  }

  /** Has all that is led here compared once, for this run; null: no more (4.13). */
  verify(run: string | null, now: number): void {
    this.context.now = now;
    this.context.verifier.begin(run, now);
  }

  verified(): VerificationRun {
    return this.context.verifier.results();
  }

  /** When `tick` must be called at the latest. */
  nextDeadline(): number {
    const { wakeups, copyPace, verifier } = this.context;
    return Math.min(this.nextBeatAt, wakeups.next(), copyPace.next(), verifier.nextAt);
  }

  takeReady(): Ready {
    const { context } = this;
    if (context.flushes.size > 0) {
      const flushes = [...context.flushes];
      context.flushes.clear();
      for (const replica of flushes) this.flush(replica);
    }
    const accepts = context.accepts.take(context.now);
    if (accepts.length > 0) context.holdings.wrote(context.now);
    for (const { to, message } of accepts) context.outbox.send(to, message);
    const transaction = context.transactions.handOut();
    if (transaction !== null) context.pace.transactionBegins(context.now);
    context.copyPace.start(context.now);
    const reads = context.reads.take();
    return { transaction, reads, ...context.outbox.take() };
  }

  /** How many bytes of rows are given away to copies in a second, at most, over all partitions. */
  setCopyRate(bytesPerSecond: number, now: number): void {
    this.context.copyPace.setRate(bytesPerSecond, now);
  }

  /** The process is about to end: stands no more, and hands over what it leads, each partition once somebody could lead it. */
  leave(now: number): void {
    const { context } = this;
    context.now = now;
    context.retired = true;
    for (const replica of [...context.led]) {
      if (replica.leader !== null) considerHandover(context, replica, replica.leader);
    }
    for (const replica of context.replicas.values()) {
      if (replica.candidate !== null) giveUp(context, replica);
    }
  }

  /** There is no more time: leads no more, and lets others lead at once. */
  releaseAll(now: number): void {
    this.leave(now);
    for (const replica of [...this.context.led]) {
      if (replica.leader !== null) passOnNow(this.context, replica, replica.leader);
    }
  }

  get leadsNothing(): boolean {
    return this.context.led.size === 0;
  }

  /** Leads nothing, and others have stood for what it led: nobody waits for anything that only this shard can say. */
  get hasLeft(): boolean {
    const { context } = this;
    if (!this.leadsNothing) return false;
    const isAwaited = (replica: Replica): boolean =>
      ownerOf(replica.record.promised) === context.ordinal && hasLivingPeer(context, replica);
    return ![...context.replicas.values()].some((replica) => replica.isMember && isAwaited(replica));
  }

  /** Who needs a promise of this shard cannot be elected before (4.4.4). */
  get promisesFrom(): number {
    return restartWaitEnds(this.context);
  }

  /** Is there room for rows of peers before the next transaction? */
  get hasRoomForRows(): boolean {
    const { transactions, limits } = this.context;
    return transactions.bytesGathered < limits.transactionBytesMax;
  }

  /** Are there enough values of requests to work on? What comes beyond would only wait here. */
  get hasRoomForRequests(): boolean {
    const { admission, limits } = this.context;
    return admission.bytesWaiting < limits.requestBytesWanted;
  }

  /** In order of partition. */
  status(): PartitionStatus[] {
    return [...this.context.replicas.values()]
      .sort((a, b) => a.partition - b.partition)
      .map((replica) => statusOf(this.context, replica));
  }

  /** Of the partitions that this shard leads and whose replicas are being exchanged; as of the last input. */
  moves(estimate: EstimateBytes = () => 0): readonly MoveReport[] {
    return moveReports(this.context, estimate);
  }

  /** In whole milliseconds, since copies from here last gave way to users on a crowded machine (6.7); null: they never did. */
  get quietMs(): number | null {
    return this.context.copyPace.quietMs(this.context.now);
  }

  purging(): PurgeStatus {
    return purgingOf(this.context);
  }

  private flush(replica: Replica): void {
    const { context } = this;
    const { leader } = replica;
    if (leader === null) return;
    flushBatches(context, replica, leader);
    startConfirmRound(context, replica, leader);
  }

  private beat(): void {
    const { context } = this;
    for (const replica of [...context.led]) {
      if (replica.leader !== null) beatAsLeader(context, replica, replica.leader);
    }
    // Before the heartbeat, so that its answer says that they were heard.
    context.accepts.forgetOld(context.now);
    context.holdings.forgetOld(context.now);
    purgeAtBeat(context);
    callRoll(context, this.roll);
    tellPoints(context, this.everyone);
    beatToPeers(context, this.everyone);
  }

  private wake(replica: Replica): void {
    const { context } = this;
    if (replica.catchUp !== null) catchUpDue(context, replica, replica.catchUp);
    const { role } = replica;
    if (role.kind === 'leader') leadershipDue(context, replica, role);
    else if (role.kind === 'candidate') candidacyDue(context, replica, role);
    else electionDue(context, replica);
  }
}

function createContext(options: PaxosShardOptions): ShardParts {
  const { ordinal, incarnation, timings, limits, stamp, prng, startedAt } = options;
  const rules = options.rules ?? RULES;
  const outbox = new Outbox();
  const replicas = new Map<number, Replica>();
  const led = new Set<Replica>();
  return {
    now: startedAt,
    retired: false,
    ordinal,
    incarnation,
    startedAt,
    timings,
    limits,
    rules,
    stamp,
    replicas,
    led,
    flushes: new Set(),
    outbox,
    transactions: new TransactionBuilder(),
    reads: new ReadQueue(),
    wakeups: new Wakeups(),
    grants: new Grants(incarnation, timings.leaseMs),
    holdings: new Holdings(rules, timings.leaseMs, timings.driftFraction),
    clockJump: new ClockJump(rules, timings.leaseMs, timings.driftFraction),
    peers: new Peers(timings.leaseMs),
    accepts: new AcceptsSent(rules, incarnation, ordinal),
    backlog: options.backlog ?? NO_BACKLOG,
    served: new RowsServed(),
    copyPace: new CopyPace(startedAt, limits.repairBytesMax),
    pointsTold: new PointsTold(rules, incarnation),
    pointsHeard: new PointsHeard(rules, incarnation),
    pace: new OwnPace(timings, startedAt),
    backOff: new BackOff(prng),
    releases: new Releases(),
    admission: new Admission(limits, outbox),
    cache: new RowCache(
      limits.rowCacheBytesMax,
      ({ row, replica }) => row === null || row.revision <= replica.commit,
    ),
    keyedShare: new MemoryShare(limits.keyedBytesMax, () => replicas.size),
    recentShare: new MemoryShare(limits.recentBytesMax, () => replicas.size),
    tombstoneShare: new MemoryShare(limits.tombstoneBytesMax, () => replicas.size),
    keysShare: new MemoryShare(limits.keysBytesMax, () => replicas.size),
    purges: new Purges(),
    verifier: new Verifier(options.verification ?? null, incarnation, startedAt),
    nextGeneration: generationsOf(incarnation),
  };
}

function statusOf(context: ShardParts, replica: Replica): PartitionStatus {
  const { record, role, assignment } = replica;
  const votes = assignment !== null && context.rules.votes(assignment, context.ordinal);
  const { leader } = replica;
  return {
    partition: replica.partition,
    epoch: record.epoch,
    role: role.kind === 'follower' && !votes ? (replica.isMember ? 'learner' : 'removed') : role.kind,
    ballot: role.kind === 'follower' ? record.promised : role.ballot,
    leader: replica.leaderHint,
    position: record.position,
    commit: replica.commit,
    promised: record.promised,
    serving: leader !== null && leader.serving && leader.barrierCommitted,
    leased: leader !== null && hasLease(context, replica, leader),
    copying: record.staging !== null,
  };
}
