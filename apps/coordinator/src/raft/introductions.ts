/**
 * Members that know each other by no configuration yet: who waits to be let in, here or elsewhere, and founders of a cluster
 * that have not heard that it has begun.
 */
import { type Introduction, MEMBERS_MAX, type RaftMember, type Seat, type Seated } from '@ringleader/raft';
import type { RaftNodeEvent } from './raft-events.js';
import type { RaftTransport } from './raft-node.js';
import type { Roster } from './roster.js';

export interface IntroductionParts {
  readonly member: RaftMember;
  readonly roster: Roster;
  readonly seat: Seat;
  /** Empty where it has joined a group that others founded. */
  readonly founders: readonly Seated[];
  readonly transport: Pick<RaftTransport, 'introduce'>;
  readonly nowMs: () => number;
  readonly onEvent: (event: RaftNodeEvent) => void;
}

/** Where there may be members. */
const SEATS = Array.from({ length: MEMBERS_MAX }, (_, i) => i + 1);
const KNOCK_EVERY_MS = 1_000;

export class Introductions {
  #knockedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly parts: IntroductionParts,
    /** Who waits to be let in. */
    private readonly onApplicant: (applicant: Seated) => void,
  ) {}

  /** Answers a founder that this cluster has begun, or that it is a stranger to it: its disk was lost. */
  meet({ seat, id, isQuestion, founders: told }: Introduction): void {
    const { transport, roster, founders, onEvent, seat: self, member } = this.parts;
    if (!isQuestion || member.status().id === id) return;
    if (told?.length === 0) {
      this.onApplicant({ seat, id });
      return;
    }
    if (seat === self || roster.members.length === 0) return;
    const isMember = roster.has(id);
    if (isMember && founders.length === 0) return;
    if (!isMember) onEvent({ kind: 'strangerRefused', seat, id });
    const known = { founders: isMember ? founders : roster.members, isBegun: true, isQuestion: false };
    transport.introduce(seat, { seat: self, id: member.status().id, ...known });
  }

  /** Until this member is in the group, so that an operator can let it in. Once per tick. */
  knock(): void {
    const { member, roster, transport, seat, founders, nowMs } = this.parts;
    const { id } = member.status();
    if (founders.length > 0 || roster.has(id) || nowMs() - this.#knockedAtMs < KNOCK_EVERY_MS) return;
    this.#knockedAtMs = nowMs();
    for (const to of SEATS) transport.introduce(to, { seat, id, founders, isBegun: true, isQuestion: true });
  }
}
