/** Who sits where: the core knows members by their ids, everybody else by their seats. */
import { invariant } from '@ringleader/primitives';
import type { MemberId, RaftEvent, Seat, Seated } from '@ringleader/raft';

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
