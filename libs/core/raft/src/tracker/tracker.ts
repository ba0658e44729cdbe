/** What a leader knows of all others whom it sends its log, voters and learners alike. */
import type { RaftLimits } from '../config.js';
import type { LogIndex, MemberId } from '../types.js';
import { Progress } from './progress.js';

export class Tracker {
  readonly #self: MemberId;
  readonly #limits: RaftLimits;
  readonly #progress = new Map<MemberId, Progress>();

  constructor(self: MemberId, limits: RaftLimits) {
    this.#self = self;
    this.#limits = limits;
  }

  /** From now on these, no others: what is known of those that stay is kept. New ones are probed from `next` on. */
  follow(members: readonly MemberId[], next: LogIndex): void {
    const wanted = new Set(members);
    for (const id of this.#progress.keys()) if (!wanted.has(id)) this.#progress.delete(id);
    for (const id of wanted) {
      if (id !== this.#self && !this.#progress.has(id)) {
        this.#progress.set(id, new Progress(id, next, this.#limits));
      }
    }
  }

  get all(): Iterable<Progress> {
    return this.#progress.values();
  }

  /** Null for the leader itself, and for strangers. */
  of(id: MemberId): Progress | null {
    return this.#progress.get(id) ?? null;
  }

  /** Up to where the member's log is the leader's; the leader's own as far as its disk has it. */
  matchOf(id: MemberId, ownWritten: LogIndex): LogIndex {
    return id === this.#self ? ownWritten : (this.#progress.get(id)?.match ?? 0);
  }

  /** Who has answered within so many ticks, or still has the time to, the leader among them: as votes for its staying. */
  heardWithin(ticks: number): Map<MemberId, boolean> {
    return this.#votesOf((progress) => progress.heardWithin(ticks));
  }

  /** Those of them that have answered this leader. */
  answeredWithin(ticks: number): Map<MemberId, boolean> {
    return this.#votesOf((progress) => progress.hasAnswered && progress.heardWithin(ticks));
  }

  #votesOf(isMeant: (progress: Progress) => boolean): Map<MemberId, boolean> {
    const votes = new Map([[this.#self, true]]);
    for (const progress of this.#progress.values()) {
      if (isMeant(progress)) votes.set(progress.member, true);
    }
    return votes;
  }
}
