/**
 * Carries requests to the shards that can answer them, within their deadlines: picks the route, sends, sends again where
 * that is safe and useful, and settles each request exactly once. Which answers count, and when to send again, is decided
 * in attempts.ts.
 */
import { randomInt } from 'node:crypto';
import type { TargetLoads } from '@ringleader/balancer';
import type { ReplyFrame } from '@ringleader/contracts';
import type { ShardReply } from '@ringleader/paxos';
import type { Clock, HybridTime, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { DEFAULT_RETRY_TIMINGS, RetryBudget, attemptTimeoutMs, backOffMs } from './attempts.js';
import type { RetryTimings, Verdict } from './attempts.js';
import { InFlight } from './in-flight.js';
import type { Framing, Outcome, Sent, Settler } from './in-flight.js';
import { Outstanding } from './outstanding.js';
import type { LeaderTable } from './routing-table.js';
import { ShardChannel, nodeScheduler } from './shard-channel.js';
import type { Scheduler, ShardChannelLimits, ShardFrames } from './shard-channel.js';
import type { Target } from './targets.js';

export interface RequestRouterOptions {
  readonly frames: ShardFrames;
  readonly leaders: LeaderTable;
  /** Told of the reads that are under way, and how long they took. */
  readonly loads: TargetLoads;
  readonly timings: RetryTimings;
  readonly budget: RetryBudget;
  readonly channelLimits: ShardChannelLimits;
  /** Requests under way at once, over all shards. */
  readonly inFlightMax: number;
  readonly scheduler: Scheduler;
  readonly monotonicMs: () => MonotonicMs;
  readonly random: () => number;
  /** Takes over the clock of every answer (docs/PROTOCOL.md 4.7.2). */
  readonly mergeClock: (heard: HybridTime) => void;
}

export interface RouterCounters {
  attempts: number;
  retries: number;
  redirects: number;
  retriesDenied: number;
  lateReplies: number;
}

/** Deadlines and timeouts are looked at this often: cheaper than a timer for each request. */
const TICK_MS = 10;
/** Pings find a stopped server within one interval of each other. */
const PEERS_RESTORED_WITHIN_MS = 350;

export class RequestRouter {
  readonly counters: RouterCounters = {
    attempts: 0,
    retries: 0,
    redirects: 0,
    retriesDenied: 0,
    lateReplies: 0,
  };
  private readonly channels = new Map<ShardOrdinal, ShardChannel>();
  private readonly flights = new Set<InFlight>();
  private readonly sent = new Outstanding();
  /** Not from 1: an answer to an earlier life, or to another gateway, must not find a request here. */
  private readonly tokenBase = randomInt(2 ** 44);
  private lastToken = this.tokenBase;
  private ticking = false;

  constructor(private readonly options: RequestRouterOptions) {
    options.frames.onReplies((frame) => this.take(frame));
    options.frames.onRoom((shard) => this.channels.get(shard)?.sendLarge());
  }

  get inFlight(): number {
    return this.flights.size;
  }

  get queued(): number {
    return [...this.channels.values()].reduce((sum, channel) => sum + channel.queued, 0);
  }

  execute(target: Target, deadline: MonotonicMs): Promise<Outcome> {
    return new Promise((settled) => this.carry(target, deadline, { settled }));
  }

  carry(target: Target, deadline: MonotonicMs, settler: Settler): void {
    if (this.flights.size >= this.options.inFlightMax) {
      settler.settled({ kind: 'failed', code: 'OVERLOADED' });
      return;
    }
    const flight = new InFlight(target, deadline, settler, this.framing);
    this.flights.add(flight);
    this.dispatch(flight, this.options.monotonicMs());
    this.keepTicking();
  }

  /**
   * A leader announced itself. Who waits for an older one, or to be sent to it, need not wait on: it may have ended, and
   * answer nothing.
   */
  leadersChanged(partitions: ReadonlySet<PartitionIndex>): void {
    const now = this.options.monotonicMs();
    for (const flight of this.flights) {
      const { partition, followsLeader } = flight.target;
      if (flight.target.hasMoved(partitions, now)) {
        this.settle(flight, { kind: 'failed', code: 'UNAVAILABLE' }, now);
      } else if (followsLeader && partition !== null && partitions.has(partition)) {
        this.counters.redirects += 1;
        this.dispatch(flight, now);
      }
    }
  }

  /** What was under way when the transport broke is lost, most likely: it is not waited for. */
  transportRestored(): void {
    const interrupted = [...this.flights];
    this.sendAgain(interrupted);
    // Shards that lost the same server may be back a little later, and have missed that too.
    this.options.scheduler.after(PEERS_RESTORED_WITHIN_MS, () => this.sendAgain(interrupted));
  }

  /** Whatever the budget: it takes the place of what is lost, and adds nothing to that. */
  private sendAgain(flights: readonly InFlight[]): void {
    const now = this.options.monotonicMs();
    for (const flight of flights) {
      if (!this.flights.has(flight) || flight.phase === 'queued') continue;
      if (flight.phase === 'sent') this.counters.retries += 1;
      this.dispatch(flight, now);
    }
  }

  private dispatch(flight: InFlight, now: MonotonicMs): void {
    const route = this.options.frames.isOpen ? flight.target.route(now) : null;
    if (route === null || route.ballot < flight.attempts.ballotFloor) {
      this.pause(flight, now);
      return;
    }
    const waitsThere = flight.phase === 'queued' && flight.route?.shard === route.shard;
    if (waitsThere || this.channel(route.shard).offer(flight)) {
      flight.phase = 'queued';
      flight.route = route;
      flight.wakeAt = flight.deadline;
    } else if (flight.attempts.count === 0) {
      this.settle(flight, { kind: 'failed', code: 'OVERLOADED' }, now);
    } else {
      this.pause(flight, now);
    }
  }

  private readonly framing: Framing = (flight, route, token) => {
    const now = this.options.monotonicMs();
    // What is late already is not begun; the next tick settles it.
    if (now >= flight.deadline) return null;
    const attempt = flight.attempts.begin(route.ballot);
    flight.phase = 'sent';
    flight.isOwed = false;
    flight.lastBallot = route.ballot;
    const { bytes, partition } = flight.target;
    const isProbe = partition !== null && route.ballot === 0;
    flight.wakeAt = now + attemptTimeoutMs(this.options.timings, { attempt, bytes, isProbe });
    const { shard, ballot } = route;
    const number = token - this.tokenBase;
    flight.sent = { flight, number, attempt, shard, ballot, at: now, before: flight.sent, isOver: false };
    this.sent.add(flight.sent);
    if (flight.target.isTimed) this.options.loads.began(route.shard, now);
    this.counters.attempts += 1;
    // Rounded up: a shard that finds the time over must not find so before this gateway does.
    return flight.target.frame(token, route, Math.ceil(flight.deadline - now));
  };

  private take(frame: ReplyFrame): void {
    this.options.mergeClock(frame.hybridTime);
    const now = this.options.monotonicMs();
    const channel = this.channels.get(frame.servedBy);
    for (const reply of frame.replies) {
      channel?.answered(reply.token);
      this.takeReply(reply, frame.servedBy, now);
    }
  }

  private takeReply(reply: ShardReply, servedBy: ShardOrdinal, now: MonotonicMs): void {
    const sent = this.sent.find(reply.token - this.tokenBase);
    if (sent === undefined) {
      this.counters.lateReplies += 1;
      return;
    }
    this.forget(sent, now);
    const { flight, attempt } = sent;
    const isLate = now >= flight.deadline;
    const verdict = flight.attempts.answer(attempt, reply, isLate);
    if (verdict.kind === 'elsewhere') this.redirect(flight, verdict.hint, sent, now);
    else this.obey(flight, verdict, servedBy, now);
  }

  /** An answer to it is not waited for any more. */
  private forget(sent: Sent, now: MonotonicMs): void {
    if (sent.isOver) return;
    sent.isOver = true;
    this.sent.delete(sent);
    if (sent.flight.target.isTimed) this.options.loads.ended(sent.shard, sent.at, now);
  }

  private obey(
    flight: InFlight,
    verdict: Exclude<Verdict, { kind: 'elsewhere' }>,
    servedBy: ShardOrdinal,
    now: MonotonicMs,
  ): void {
    switch (verdict.kind) {
      case 'settled':
        this.options.budget.succeeded();
        this.settle(flight, { kind: 'answered', reply: verdict.reply, servedBy }, now);
        return;
      case 'failed':
        this.settle(flight, verdict, now);
        return;
      case 'anotherReplica':
        flight.target.passOver();
        this.dispatch(flight, now);
        return;
      case 'again':
        this.pause(flight, now);
        flight.isOwed = verdict.isOwed;
        return;
      case 'forgotten':
        this.startOver(flight, now);
        return;
      case 'ignored':
        return;
    }
  }

  /** Others wrote the key so often meanwhile that this request looks like an old one. */
  private startOver(flight: InFlight, now: MonotonicMs): void {
    if (!flight.target.renew()) {
      this.settle(flight, { kind: 'failed', code: 'OUTCOME_UNKNOWN', forgotten: true }, now);
      return;
    }
    this.forgetAll(flight, now);
    flight.startOver();
    this.dispatch(flight, now);
  }

  private redirect(
    flight: InFlight,
    hint: Extract<Verdict, { kind: 'elsewhere' }>['hint'],
    asked: Sent,
    now: MonotonicMs,
  ): void {
    const { partition } = flight.target;
    if (partition === null) {
      this.pause(flight, now);
      return;
    }
    const { leaders } = this.options;
    const { ballot, epoch } = hint;
    const isNews = leaders.hint(partition, { shard: hint.leader, ballot, epoch }, now);
    // A ballot that was given up serves no more (docs/PROTOCOL.md 4.1.8); one that is just being handed over may.
    const isGivenUp = asked.ballot > 0 && ballot !== asked.ballot;
    const isRefused = isGivenUp && leaders.refused(partition, asked);
    flight.target.passOver();
    // What others found out meanwhile is news to this request as well.
    if (isNews || isRefused || (leaders.route(partition, now)?.ballot ?? 0) > flight.lastBallot) {
      this.counters.redirects += 1;
      this.dispatch(flight, now);
    } else {
      this.pause(flight, now);
    }
  }

  private pause(flight: InFlight, now: MonotonicMs): void {
    flight.phase = 'pausing';
    flight.wakeAt = now + backOffMs(this.options.timings, flight.attempts.count, this.options.random());
  }

  private settle(flight: InFlight, outcome: Outcome, now: MonotonicMs): void {
    this.flights.delete(flight);
    this.forgetAll(flight, now);
    flight.settle(outcome);
  }

  private forgetAll(flight: InFlight, now: MonotonicMs): void {
    for (let { sent } = flight; sent !== null; sent = sent.before) this.forget(sent, now);
    flight.sent = null;
  }

  private keepTicking(): void {
    if (this.ticking) return;
    this.ticking = true;
    this.options.scheduler.after(TICK_MS, () => {
      this.ticking = false;
      this.tick(this.options.monotonicMs());
      if (this.flights.size > 0) this.keepTicking();
    });
  }

  private tick(now: MonotonicMs): void {
    for (const flight of this.flights) {
      if (now >= flight.deadline) {
        const code = flight.attempts.atDeadline(flight.phase === 'queued');
        this.settle(flight, { kind: 'failed', code }, now);
      } else if (now >= flight.wakeAt && flight.phase !== 'queued') {
        this.retry(flight, now);
      }
    }
  }

  private retry(flight: InFlight, now: MonotonicMs): void {
    if (flight.attempts.count > 0) {
      if (!flight.isOwed && !this.options.budget.take(now)) {
        this.counters.retriesDenied += 1;
        flight.wakeAt = now + this.options.timings.backOffMsMax;
        return;
      }
      this.counters.retries += 1;
    }
    this.dispatch(flight, now);
  }

  private channel(shard: ShardOrdinal): ShardChannel {
    const known = this.channels.get(shard);
    if (known !== undefined) return known;
    const { frames, channelLimits: limits, scheduler, monotonicMs } = this.options;
    const nextToken = (): number => ++this.lastToken;
    const channel = new ShardChannel(shard, { frames, limits, scheduler, nextToken, monotonicMs });
    this.channels.set(shard, channel);
    return channel;
  }
}

export type RouterIngredients = Pick<
  RequestRouterOptions,
  'frames' | 'leaders' | 'loads' | 'channelLimits' | 'inFlightMax' | 'mergeClock'
> & { readonly clock: Clock; readonly timings?: RetryTimings };

const RETRY_BUDGET = { tokensMax: 200, perSuccess: 0.1, perSecond: 50 };

/** As a gateway has it, in real time. */
export function createRouter({ clock, timings, ...ingredients }: RouterIngredients): RequestRouter {
  const { tokensMax, perSuccess, perSecond } = RETRY_BUDGET;
  const monotonicMs = (): number => clock.monotonicMs();
  return new RequestRouter({
    ...ingredients,
    timings: timings ?? DEFAULT_RETRY_TIMINGS,
    budget: new RetryBudget(tokensMax, perSuccess, perSecond, monotonicMs()),
    scheduler: nodeScheduler,
    monotonicMs,
    random: Math.random,
  });
}
