import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import type { LeaseEcho } from '../messages.js';

interface Grant {
  /** The holder's incarnation, as its heartbeats say; 0 until one was heard. */
  incarnation: Incarnation;
  span: number;
  until: number;
  /** When its last heartbeat came. */
  heardAt: number;
  /** How long grants to the holder's earlier incarnations last at most: they are renewed no more. */
  formerUntil: number;
}

/**
 * What this shard grants to others, per pair, volatile (docs/PROTOCOL.md 4.4.1). Grants outlive epochs, maps and
 * leaderships. A restarted holder begins a new span, so that it cannot prolong what its predecessor was granted.
 */
export class Grants {
  private readonly grants = new Map<ShardOrdinal, Grant>();

  constructor(
    private readonly incarnation: Incarnation,
    private readonly leaseMs: number,
  ) {}

  /** False for a heartbeat of an incarnation that is gone: it renews nothing. */
  hearHeartbeat(holder: ShardOrdinal, incarnation: Incarnation, now: number): boolean {
    const grant = this.grantOf(holder);
    // Whoever is silent for a lease may never have been there: an incarnation of the past is dead, and says nothing either.
    if (incarnation < grant.incarnation && now - grant.heardAt < this.leaseMs) return false;
    grant.heardAt = now;
    if (incarnation !== grant.incarnation) {
      grant.formerUntil = Math.max(grant.formerUntil, grant.until);
      grant.until = Number.NEGATIVE_INFINITY;
      grant.incarnation = incarnation;
    }
    this.renew(holder, now);
    return true;
  }

  /** A Heartbeat, Accept or Confirm of the holder was processed. */
  renew(holder: ShardOrdinal, now: number): void {
    const grant = this.grantOf(holder);
    if (now >= grant.until) grant.span += 1;
    grant.until = now + this.leaseMs;
  }

  echo(holder: ShardOrdinal, sentAt: number): LeaseEcho {
    return { incarnation: this.incarnation, span: this.grantOf(holder).span, sentAt };
  }

  /** The holder's incarnation to which the present grant belongs. */
  incarnationOf(holder: ShardOrdinal): Incarnation {
    return this.grantOf(holder).incarnation;
  }

  /** Until when a ballot acknowledged to that incarnation of the holder is protected (4.4.3). */
  protectsUntil(holder: ShardOrdinal, incarnation: Incarnation): number {
    const grant = this.grantOf(holder);
    return incarnation === grant.incarnation ? grant.until : grant.formerUntil;
  }

  endAll(): void {
    for (const grant of this.grants.values()) {
      grant.until = Number.NEGATIVE_INFINITY;
      grant.formerUntil = Number.NEGATIVE_INFINITY;
    }
  }

  private grantOf(holder: ShardOrdinal): Grant {
    let grant = this.grants.get(holder);
    if (grant === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      grant = { incarnation: 0, span: 0, until: never, heardAt: never, formerUntil: never };
      this.grants.set(holder, grant);
    }
    return grant;
  }
}
