import type { PaxosTimings } from '../ready.js';

/** What remains of a peak at the next look. */
const DECAY = 7 / 8;

/**
 * How slow this process itself is: descheduled, starved of a core, or with a storage that takes its time. Whoever was
 * late has unheard messages waiting, and learns of timely things too late: it must suspect itself before it suspects
 * others (Lifeguard, arXiv:1707.00788). All of it is about when to stand and when to give up (docs/PROTOCOL.md 4.9);
 * what is safe never depends on it. Everything is 0 on a machine that keeps up.
 */
export class OwnPace {
  private readonly slowFromMs: number;
  private lookedAt: number;
  private lateSince: number | null = null;
  private graceEnds = Number.NEGATIVE_INFINITY;
  private lateMs = 0;
  private transactionMs = 0;
  private transactionSince = 0;

  constructor(
    private readonly timings: PaxosTimings,
    startedAt: number,
  ) {
    this.slowFromMs = timings.heartbeatIntervalMs / 2;
    this.lookedAt = startedAt;
  }

  /**
   * At every tick, with the time for which it was planned. After a late one messages are heard first, for a heartbeat
   * interval. Where one late tick follows another that ends after L: a process that is always late stands too.
   */
  look(now: number, deadline: number): void {
    const late = now - Math.max(this.lookedAt, deadline);
    this.lookedAt = now;
    if (late <= this.slowFromMs) {
      this.lateSince = null;
      return;
    }
    this.lateSince ??= now;
    if (now < this.lateSince + this.timings.leaseMs) this.graceEnds = now + this.timings.heartbeatIntervalMs;
  }

  /** At every heartbeat. */
  beat(lateByMs: number): void {
    const late = lateByMs > this.slowFromMs ? Math.min(lateByMs, this.timings.leaseMs) : 0;
    this.lateMs = Math.max(late, this.fade(this.lateMs));
  }

  transactionBegins(now: number): void {
    this.transactionSince = now;
  }

  transactionEnds(now: number): void {
    const took = now - this.transactionSince;
    const slow = took > this.slowFromMs ? Math.min(took, this.timings.leaseMs) : 0;
    this.transactionMs = Math.max(slow, this.fade(this.transactionMs));
  }

  /** Nothing is to be concluded before from what was not heard. */
  get graceUntil(): number {
    return this.graceEnds;
  }

  /** By how much this process was late of late; at most L. */
  get latenessMs(): number {
    return this.lateMs;
  }

  /** How much longer than usual a question takes to a shard as slow as this one, its answer made durable. */
  get extraRoundMs(): number {
    // The transaction that runs already ends first; and both ends are late.
    return 2 * this.transactionMs + 2 * this.lateMs;
  }

  /** How long a candidate, or whoever asks for rows, waits for answers. */
  get patienceMs(): number {
    return this.timings.candidacyTimeoutMs + this.extraRoundMs;
  }

  /** How long a replica leaves to the one whose turn is before its own. */
  get staggerMs(): number {
    return this.timings.electionStaggerMs + this.extraRoundMs;
  }

  /** To 0 in the end, so that an idle machine keeps up again. */
  private fade(ms: number): number {
    return ms < 1 ? 0 : ms * DECAY;
  }
}
