import type { ShardOrdinal } from '@ringleader/primitives';
import type { Waiter } from '../accept/commit-waiters.js';

interface Round {
  readonly number: number;
  readonly waiters: readonly Waiter[];
  readonly confirmedBy: Set<ShardOrdinal>;
  sentAt: number;
}

/**
 * Proofs of leadership without a lease (docs/PROTOCOL.md 4.5.1): a round sent after a request arrived and answered by a
 * quorum. One round at a time; what arrives meanwhile shares the next.
 */
export class ConfirmRounds {
  private number = 0;
  private next: Waiter[] = [];
  current: Round | null = null;

  add(waiter: Waiter): void {
    this.next.push(waiter);
  }

  get mayStart(): boolean {
    return this.current === null && this.next.length > 0;
  }

  start(now: number): Round {
    this.number += 1;
    this.current = { number: this.number, waiters: this.next, confirmedBy: new Set(), sentAt: now };
    this.next = [];
    return this.current;
  }

  finish(): readonly Waiter[] {
    const waiters = this.current?.waiters ?? [];
    this.current = null;
    return waiters;
  }

  takeAll(): Waiter[] {
    const all = [...this.finish(), ...this.next];
    this.next = [];
    return all;
  }
}
