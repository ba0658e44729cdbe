/** A follower's look at a leader that is silent: one whose process has ended is found out sooner than by waiting for it. */
import type { RaftMember } from '@ringleader/raft';
import type { RaftTransport } from './raft-node.js';
import type { Roster } from './roster.js';

export class LeaderWatch {
  #isLooking = false;

  constructor(
    private readonly member: RaftMember,
    private readonly roster: Roster,
    private readonly transport: RaftTransport,
  ) {}

  /** With each tick. */
  async look(): Promise<void> {
    const { silentLeader } = this.member;
    if (silentLeader === 0 || this.#isLooking) return;
    this.#isLooking = true;
    const isThere = await this.transport.isThere(this.roster.seatOf(silentLeader));
    this.#isLooking = false;
    if (!isThere) this.member.reportUnreachable(silentLeader);
  }
}
