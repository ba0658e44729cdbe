/**
 * A member's look at a leader that is silent, as the coordinator's shell has it: who listens to its subject is asked for, and that it is
 * nobody is told at once. Now and then it is wrongly told: of a leader that lives, and even of one that is heard again meanwhile.
 */
import type { RaftMember } from '@ringleader/raft';
import type { MemberId } from '@ringleader/primitives';
import type { Host } from '@ringleader/testing-simulation';
import type { SimMessage } from './sim-messages.js';

/** Until an answer is there. */
const answerMsMax = 8;
/** Of so many answers of a leader that is there one says that it is not. */
const oneWrongIn = 20;

export class LeaderWatch {
  #isLooking = false;

  constructor(
    private readonly host: Host<SimMessage>,
    private readonly core: RaftMember,
    private readonly isThere: (id: MemberId) => boolean,
  ) {}

  /** With each tick. */
  look(): void {
    const { silentLeader } = this.core;
    if (silentLeader === 0 || this.#isLooking) return;
    this.#isLooking = true;
    const { prng } = this.host;
    const isGone = !this.isThere(silentLeader) || prng.nextBelow(oneWrongIn) === 0;
    this.host.after(prng.nextFloat() * answerMsMax, () => {
      this.#isLooking = false;
      if (isGone) this.core.reportUnreachable(silentLeader);
    });
  }
}
