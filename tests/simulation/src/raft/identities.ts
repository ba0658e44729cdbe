/** Who a member is, apart from the node it runs on (its seat), and how the others tell. Replaceable, as the rules of the core are. */
import type { Configuration, MemberId, Message, Seat } from '@ringleader/raft';

export interface IdentityRules {
  /** Under which id a member goes on whose disk was lost for the `losses`th time. */
  idOf(seat: Seat, losses: number): MemberId;
  /** What of a message's sender or addressee travels. */
  toWire(id: MemberId): MemberId;
  /** As whom the member `self` reads an addressee. */
  fromWire(to: MemberId, self: MemberId): MemberId;
  /** Who is in the group by a snapshot which `asOf` belongs to. */
  inSnapshot(asOf: Configuration, founding: Configuration): Configuration;
}

/** More than there are seats. */
const idsPerLoss = 1_000;

export function seatOf(id: MemberId): Seat {
  return id % idsPerLoss;
}

/** A lost disk makes another member, and messages name members, not seats. */
export const soundIdentities: IdentityRules = {
  idOf: (seat, losses) => seat + losses * idsPerLoss,
  toWire: (id) => id,
  fromWire: (to) => to,
  inSnapshot: (asOf) => asOf,
};

export function addressed(message: Message, name: (id: MemberId) => MemberId): Message {
  return { ...message, from: name(message.from), to: name(message.to) };
}
