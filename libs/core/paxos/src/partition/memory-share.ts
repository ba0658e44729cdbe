/**
 * What the replicas of one shard may hold together of something that each remembers for itself. While it is not used up
 * a busy partition may hold more than its part; from then on nobody may hold more than that, so that all together
 * hold at most twice the bound, whatever came first.
 */
export class MemoryShare {
  private held = 0;

  constructor(
    private readonly bytesMax: number,
    private readonly holders: () => number,
  ) {}

  get heldBytes(): number {
    return this.held;
  }

  /** What somebody holds has grown by so much, or shrunk. */
  add(bytes: number): void {
    this.held += bytes;
  }

  /** Must somebody who holds so much let go of some of it? */
  isExceededBy(own: number): boolean {
    return this.held > this.bytesMax && own > this.bytesMax / Math.max(1, this.holders());
  }
}
