/** Answers that are held back: until a row is committed, or until the leadership is proven. */
import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Admission } from '../admission.js';
import type { ReadRequest, ScanRequest, ShardReply, WriteRequest } from '../requests.js';

/** One answer that rests on several partitions: given when all have settled, or when the first is lost. */
export interface Gate {
  waiting: number;
  answered: boolean;
}

/** An answer that is held back until the row that it rests on is committed. */
export interface Waiter {
  readonly request: WriteRequest | ReadRequest | ScanRequest;
  readonly revision: Revision;
  readonly reply: ShardReply;
  /** Must the leadership be proven by lease or Confirm after the commit (4.5.1, 4.7.1)? */
  readonly needsLeadership: boolean;
  readonly gate?: Gate;
}

/** What the waiter waited for has come. */
export function settle(admission: Admission, waiter: Waiter): void {
  const { gate } = waiter;
  if (gate !== undefined) {
    gate.waiting -= 1;
    if (gate.waiting > 0 || gate.answered) return;
    gate.answered = true;
  }
  admission.answer(waiter.request, waiter.reply);
}

/** What the waiter waited for will not come from this leadership. */
export function abandon(admission: Admission, waiter: Waiter, reply: ShardReply): void {
  const { gate } = waiter;
  if (gate !== undefined) {
    if (gate.answered) return;
    gate.answered = true;
  }
  admission.answer(waiter.request, reply);
}

/** So many places stay for the next waiters when none is left. */
const PLACES_KEPT = 64;

/** Ordered by revision. Most are added at the end: writes come in order. */
export class CommitWaiters {
  /** From `head` to `tail`; the other places are empty. */
  private places: (Waiter | null)[] = [];
  private head = 0;
  private tail = 0;

  add(waiter: Waiter): void {
    let index = this.tail;
    while (index > this.head && (this.places[index - 1]?.revision ?? 0) > waiter.revision) index -= 1;
    if (index === this.tail) this.places[index] = waiter;
    else this.places.splice(index, 0, waiter);
    this.tail += 1;
  }

  /** The next waiter whose revision is committed. */
  take(commit: Revision): Waiter | null {
    const waiter = this.places[this.head] ?? null;
    if (waiter === null || waiter.revision > commit) return null;
    this.places[this.head] = null;
    this.head += 1;
    if (this.head === this.tail) this.clear();
    else if (this.head > 1_024) this.moveToFront();
    return waiter;
  }

  takeAll(): Waiter[] {
    const rest = this.places.slice(this.head, this.tail).filter((waiter) => waiter !== null);
    this.places = [];
    this.clear();
    return rest;
  }

  private clear(): void {
    this.head = 0;
    this.tail = 0;
    if (this.places.length > PLACES_KEPT) this.places = [];
  }

  private moveToFront(): void {
    this.places = this.places.slice(this.head, this.tail);
    this.tail -= this.head;
    this.head = 0;
  }
}

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
