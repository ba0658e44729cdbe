/** Who sits where, and who leads: the core knows members by their ids, everybody else by their seats. */
import {
  allMembers,
  type Configuration,
  type MemberId,
  type RaftEvent,
  type RaftMemberStatus,
  type Seat,
  type Seated,
} from '@ringleader/raft';
import type { LeadershipChange } from './raft-node.js';

/** Of those that are no members any more, or not known as such yet. */
const OTHERS_MAX = 256;

export class Roster {
  #configuration: Configuration;
  #seats = new Map<MemberId, Seat>();
  /** Who spoke, or was a member once: an answer finds its way. */
  readonly #others = new Map<MemberId, Seat>();

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#seatAll(configuration);
  }

  /** The newest configuration: once per turn. */
  follow(configuration: Configuration): void {
    if (configuration === this.#configuration) return;
    for (const [id, seat] of this.#seats) this.#remember(id, seat);
    this.#configuration = configuration;
    this.#seatAll(configuration);
  }

  get members(): readonly Seated[] {
    return allMembers(this.#configuration);
  }
  /** Of all members, each once. */
  get seats(): Seat[] {
    return [...new Set(this.#seats.values())];
  }

  has(id: MemberId): boolean {
    return this.#seats.has(id);
  }

  /** 0 for nobody, and for who was never heard of. */
  seatOf(id: MemberId): Seat {
    return this.#seats.get(id) ?? this.#others.get(id) ?? 0;
  }

  /** False where another seat has the id. Ids that are not known are: who asks for votes, or leads, may be ahead of what is known here. */
  admit(seat: Seat, id: MemberId): boolean {
    const known = this.seatOf(id);
    if (known === 0) this.#remember(id, seat);
    return known === 0 || known === seat;
  }

  /** The event as people read it: with seats. */
  withSeats(event: RaftEvent): RaftEvent {
    if (event.kind === 'leaderChanged') return { ...event, leader: this.seatOf(event.leader) };
    if (event.kind === 'snapshotSending') return { ...event, to: this.seatOf(event.to) };
    return event;
  }

  #seatAll(configuration: Configuration): void {
    this.#seats = new Map(allMembers(configuration).map(({ id, seat }) => [id, seat]));
  }

  #remember(id: MemberId, seat: Seat): void {
    this.#others.delete(id);
    this.#others.set(id, seat);
    if (this.#others.size <= OTHERS_MAX) return;
    const [oldest] = this.#others.keys();
    this.#others.delete(oldest!);
  }
}

export function leadershipOf(status: RaftMemberStatus, roster: Roster): LeadershipChange {
  const isOwnTermApplied = status.termStartIndex > 0 && status.appliedIndex >= status.termStartIndex;
  const leading = status.role === 'leader' && isOwnTermApplied;
  return { term: status.term, leader: roster.seatOf(status.leader), leading };
}

/** Tells those who asked about each change, once. */
export class Leadership {
  readonly #listeners = new Set<(change: LeadershipChange) => void>();
  #current: LeadershipChange = { term: 0, leader: 0, leading: false };

  get current(): LeadershipChange {
    return this.#current;
  }

  listen(listener: (change: LeadershipChange) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#current);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** True once somebody leads of whom `isIt` holds; false when that takes too long. */
  goesTo(isIt: (leader: Seat) => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        unsubscribe();
        resolve(false);
      }, timeoutMs);
      const unsubscribe = this.listen(({ leader }) => {
        if (leader === 0 || !isIt(leader)) return;
        clearTimeout(timer);
        // The first call comes before there is a way to unsubscribe.
        queueMicrotask(() => {
          unsubscribe();
        });
        resolve(true);
      });
    });
  }

  /** True if it is news. */
  update(next: LeadershipChange): boolean {
    const { term, leader, leading } = this.#current;
    if (next.term === term && next.leader === leader && next.leading === leading) return false;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener(next);
    return true;
  }
}
