/**
 * Large bodies take turns. So many bytes of them are read and passed on at once as keep the shards busy; the others wait
 * unread in their sockets, first come first served. More at once would not be any faster, but all that is small would stand
 * in the queues behind them, from here to the database.
 */

/** What is smaller never waits. */
export const LARGE_BYTES = 65_536;

interface Body {
  readonly bytes: number;
  readonly begin: () => void;
}

/** Pure bookkeeping. */
export class LargeBodies {
  private underWayBytes = 0;
  private readonly waiting = new Set<Body>();
  private readonly underWay = new Set<Body>();

  /** One body that is larger goes alone. */
  constructor(private readonly underWayBytesMax: number) {}

  get waitingCount(): number {
    return this.waiting.size;
  }

  /**
   * Calls `begin` when the turn of a body of so many bytes has come, which may be at once. What it returns is to be called when the
   * request is over, whether it has begun or not; again has no effect.
   */
  enter(bytes: number, begin: () => void): () => void {
    if (bytes < LARGE_BYTES) {
      begin();
      return () => undefined;
    }
    const body = { bytes, begin };
    this.waiting.add(body);
    this.beginNext();
    return () => {
      if (this.underWay.delete(body)) this.underWayBytes -= bytes;
      this.waiting.delete(body);
      this.beginNext();
    };
  }

  private beginNext(): void {
    for (const body of this.waiting) {
      if (this.underWayBytes > 0 && this.underWayBytes + body.bytes > this.underWayBytesMax) return;
      this.waiting.delete(body);
      this.underWay.add(body);
      this.underWayBytes += body.bytes;
      body.begin();
    }
  }
}
