import type { RaftMemberStatus } from '@ringleader/raft';
import type { Roster } from './roster.js';
import type { LeadershipChange } from './raft-node.js';

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
