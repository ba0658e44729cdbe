/**
 * Whether this process is alone at its nats-server. One without routes to the others answers pings as any other does; but no
 * coordinator takes a call there, and no other member is heard. Where others are heard the coordinators have failed, and to go
 * elsewhere would only scatter who still understand each other.
 */

/** Longer than coordinators take to be replaced by ones that have stood by. */
const PATIENCE_MS = 5_000;
/** It may be as lonely everywhere: each further server is given twice as long. */
const PATIENCE_MS_MAX = 160_000;
const CALLS_MIN = 5;

export class Isolation {
  private patienceMs = PATIENCE_MS;
  /** Calls without a responder since somebody was heard, and when the first of them was. */
  private unserved = 0;
  private since = 0;

  /** Somebody else is there. */
  heard(): void {
    this.unserved = 0;
  }

  /** A coordinator answered. */
  served(): void {
    this.unserved = 0;
    this.patienceMs = PATIENCE_MS;
  }

  /** A call had no responder. True: another server is to be tried. */
  unservedAt(nowMs: number): boolean {
    if (this.unserved === 0) this.since = nowMs;
    this.unserved += 1;
    if (this.unserved < CALLS_MIN || nowMs - this.since < this.patienceMs) return false;
    this.unserved = 0;
    this.patienceMs = Math.min(2 * this.patienceMs, PATIENCE_MS_MAX);
    return true;
  }
}
