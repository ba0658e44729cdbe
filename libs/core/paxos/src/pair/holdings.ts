import type { ShardOrdinal } from '@ringleader/primitives';
import { NO_STAMP, type LeaseEcho } from '../messages.js';
import type { GrantSpan, LeaseRules } from '../rules/lease-rules.js';

/** Echoes that are so late, and later than a lease, prove nothing any more. */
const WRITTEN_MS = 10_000;

interface Holding {
  span: GrantSpan;
  until: number;
}

/** What others grant to this shard (docs/PROTOCOL.md 4.4.2), counted on the own clock from the own sending time. */
export class Holdings {
  private readonly holdings = new Map<ShardOrdinal, Holding>();
  private readonly countedMs: number;
  private readonly writtenMs: number;
  /** Own stamps of late, oldest first: nothing else is ever echoed. */
  private readonly written = new Set<number>();
  /** Own stamps at or before the reading at which the clock was found to have jumped prove nothing (4.4.6). */
  private jumpSeenAt = NO_STAMP;

  constructor(
    private readonly rules: LeaseRules,
    leaseMs: number,
    driftFraction: number,
  ) {
    this.countedMs = rules.countedLeaseMs(leaseMs, driftFraction);
    this.writtenMs = Math.max(WRITTEN_MS, leaseMs);
  }

  hear(granter: ShardOrdinal, echo: LeaseEcho, now: number): void {
    const counts = echo.sentAt !== NO_STAMP && this.isMeasurable(echo.sentAt) && echo.sentAt <= now;
    const until = counts
      ? this.rules.countedFrom(echo.sentAt, now) + this.countedMs
      : Number.NEGATIVE_INFINITY;
    const holding = this.holdings.get(granter);
    // One that runs, where the later one does not: the later one was never granted, or the granter has restarted since,
    // and keeps what its predecessor granted by its wait (4.4.4).
    const runs = holding !== undefined && now >= holding.until && now < until;
    if (holding === undefined || runs || isLater(echo, holding.span)) {
      const span = { incarnation: echo.incarnation, span: echo.span };
      this.holdings.set(granter, { span, until });
    } else if (holding.span.incarnation === echo.incarnation && holding.span.span === echo.span) {
      holding.until = Math.max(holding.until, until);
    }
  }

  /** This stamp goes out. */
  wrote(stamp: number): void {
    this.written.add(stamp);
  }

  /** Or too old to tell, and to count. */
  isOwn(stamp: number, now: number): boolean {
    return this.written.has(stamp) || stamp <= now - this.writtenMs;
  }

  forgetOld(now: number): void {
    for (const stamp of this.written) {
      if (stamp > now - this.writtenMs) return;
      this.written.delete(stamp);
    }
  }

  /** The span of the grant that runs now; undefined when none does. */
  runningSpan(granter: ShardOrdinal, now: number): GrantSpan | undefined {
    const holding = this.holdings.get(granter);
    return holding !== undefined && now < holding.until ? holding.span : undefined;
  }

  /** Was this own stamp written since the clock last jumped? */
  isMeasurable(stamp: number): boolean {
    return this.rules.outlivesJump(stamp, this.jumpSeenAt);
  }

  dropAll(now: number): void {
    this.jumpSeenAt = now;
    for (const holding of this.holdings.values()) holding.until = Number.NEGATIVE_INFINITY;
  }
}

function isLater(echo: GrantSpan, known: GrantSpan): boolean {
  return (
    echo.incarnation > known.incarnation || (echo.incarnation === known.incarnation && echo.span > known.span)
  );
}
