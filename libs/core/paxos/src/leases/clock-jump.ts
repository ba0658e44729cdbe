/**
 * A machine that was suspended, or moved, may come back with a monotonic clock that stood still. The wall clock then
 * moved against it: a jump of more than L/4 drops all leases held (docs/PROTOCOL.md 4.4.6).
 */
export class ClockJump {
  private offset: number | null = null;

  constructor(private readonly toleranceMs: number) {}

  /** True when the clocks moved against each other since the last look. */
  look(now: number, wallNow: number): boolean {
    const offset = wallNow - now;
    const before = this.offset;
    this.offset = offset;
    return before !== null && Math.abs(offset - before) > this.toleranceMs;
  }
}
