/** Who sits where, and who leads: the core knows members by their ids, everybody else by their seats. */
import { invariant } from '@ringleader/primitives';
import type { MemberId, RaftEvent, RaftMemberStatus, Seat, Seated } from '@ringleader/raft';
import type { LeadershipChange } from './raft-node.js';

export class Roster {
  readonly #seats: ReadonlyMap<MemberId, Seat>;

  constructor(readonly members: readonly Seated[]) {
    this.#seats = new Map(members.map(({ seat, id }) => [id, seat]));
  }

  get ids(): MemberId[] {
    return this.members.map(({ id }) => id);
  }
  get seats(): Seat[] {
    return this.members.map(({ seat }) => seat);
  }

  /** 0 for nobody. */
  seatOf(id: MemberId): Seat {
    if (id === 0) return 0;
    const seat = this.#seats.get(id);
    invariant(seat !== undefined, `member ${String(id)} has a seat`);
    return seat;
  }

  /** Also for ids that nobody has. */
  isSeatOf(seat: Seat, id: MemberId): boolean {
    return this.#seats.get(id) === seat;
  }

  /** The event as people read it: with seats. */
  withSeats(event: RaftEvent): RaftEvent {
    if (event.kind === 'leaderChanged') return { ...event, leader: this.seatOf(event.leader) };
    if (event.kind === 'snapshotSending') return { ...event, to: this.seatOf(event.to) };
    return event;
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

  /** True if it is news. */
  update(next: LeadershipChange): boolean {
    const { term, leader, leading } = this.#current;
    if (next.term === term && next.leader === leader && next.leading === leading) return false;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener(next);
    return true;
  }
}
