/**
 * A machine that was suspended, or moved, may come back with a monotonic clock that stood still. The wall clock then
 * moved against it: all leases held are dropped, and no age is told across that (docs/PROTOCOL.md 4.4.6).
 *
 * The two are compared with where they stood at the last jump, not at the last look, so that many short suspensions add
 * up. What stays unseen is at most twice the tolerance, which must be well within the drift that holders allow for: a
 * quarter of it, here. A wall clock that is slewed or stepped costs leases now and then, never safety.
 */
import type { LeaseRules } from '../rules/lease-rules.js';

export class ClockJump {
  private baseline: number | null = null;
  private readonly toleranceMs: number;

  constructor(
    private readonly rules: LeaseRules,
    leaseMs: number,
    driftFraction: number,
  ) {
    this.toleranceMs = rules.clockToleranceMs(leaseMs, driftFraction);
  }

  /** True when the clocks moved against each other. */
  look(now: number, wallNow: number): boolean {
    const offset = wallNow - now;
    this.baseline ??= offset;
    if (Math.abs(offset - this.baseline) <= this.toleranceMs) {
      this.baseline = this.rules.clockBaseline(this.baseline, offset);
      return false;
    }
    this.baseline = offset;
    return true;
  }
}
