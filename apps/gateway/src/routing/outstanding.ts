/**
 * The attempts whose answers are waited for. They are numbered one after the other and most are answered soon, so that a
 * ring holds them; who waits longer than the ring is long moves aside. A Map grows and shrinks with every batch, which was
 * a seventh of what a batch left to the garbage collector.
 */
import type { Sent } from './in-flight.js';

/** A power of two. */
const SLOTS = 16_384;
const MASK = SLOTS - 1;

export class Outstanding {
  private readonly ring = new Array<Sent | null>(SLOTS).fill(null);
  private readonly aside = new Map<number, Sent>();

  find(number: number): Sent | undefined {
    const sent = this.ring[number & MASK];
    return sent?.number === number ? sent : this.aside.get(number);
  }

  add(sent: Sent): void {
    const slot = sent.number & MASK;
    const before = this.ring[slot];
    if (before) this.aside.set(before.number, before);
    this.ring[slot] = sent;
  }

  delete({ number }: Sent): void {
    const slot = number & MASK;
    if (this.ring[slot]?.number === number) this.ring[slot] = null;
    else this.aside.delete(number);
  }
}
