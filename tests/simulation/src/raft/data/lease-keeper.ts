/**
 * When leases run out, at one member: as the coordinator keeps it, but that the end of a lease may take its time from where it
 * is due to where it is proposed, as in a process that is slow. By then somebody else may have led.
 */
import { type CommandResult, LeaseDeadlines, type LeaseId } from '@ringleader/mvcc';
import type { RaftMemberStatus } from '@ringleader/raft';
import type { Host } from '@ringleader/testing-simulation';
import type { ReplicatedStore } from '../replicated-store.js';
import type { DataRules } from './data-rules.js';
import type { LoggedOperation, SimMessage } from '../sim-messages.js';

const checkEveryMs = 20;

export interface LeaseKeeperParts {
  readonly host: Host<SimMessage>;
  readonly store: ReplicatedStore;
  readonly rules: DataRules;
  /** The longest time that an end is under way to where it is proposed. */
  readonly slowMsMax: number;
  /** `lost` runs if it is certain that this will not be. */
  propose(operation: LoggedOperation, lost: () => void): void;
}

export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  /** Null while this member does not lead. */
  #deadlines: LeaseDeadlines | null = null;
  #lastCheckAt: number;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
    this.#lastCheckAt = parts.host.monotonicMs();
    this.#checkFromNowOn();
  }

  /** Whether it counts for the leadership that there is now; what `keepAlive` needs is one for the whole time. */
  get leadership(): LeaseDeadlines | null {
    return this.#deadlines;
  }

  /** It counts from when it has applied the start of its term: before, it does not know all leases. */
  turned({ term, termStartIndex, appliedIndex }: RaftMemberStatus): void {
    if (termStartIndex === 0 || appliedIndex < termStartIndex) this.#deadlines = null;
    else if (this.#deadlines?.term !== term) {
      this.#deadlines = new LeaseDeadlines(term, this.#parts.store.store.listLeases(), this.#now());
    }
  }

  applied(result: CommandResult): void {
    if (result.kind === 'leaseGranted') {
      const lease = this.#parts.store.store.lease(result.lease);
      if (lease !== undefined) this.#deadlines?.add(lease, this.#now());
    } else if (result.kind === 'leasesEnded') {
      for (const lease of result.leases) this.#deadlines?.remove(lease);
    }
  }

  #checkFromNowOn(): void {
    this.#parts.host.after(checkEveryMs, () => {
      this.#checkFromNowOn();
      const now = this.#now();
      const lateMs = now - this.#lastCheckAt - checkEveryMs;
      this.#lastCheckAt = now;
      const deadlines = this.#deadlines;
      if (deadlines === null) return;
      if (lateMs > checkEveryMs) deadlines.postpone(lateMs);
      const expired = deadlines.takeExpired(now);
      if (expired.length > 0) this.#expire(deadlines, expired);
    });
  }

  #expire(deadlines: LeaseDeadlines, leases: readonly LeaseId[]): void {
    const { host, store, rules, slowMsMax, propose } = this.#parts;
    const asOf = rules.seenAsOf(store.store.wantedGrants);
    const command = { kind: 'leaseExpire', leases, term: deadlines.term, asOf } as const;
    const run = (): void => {
      propose({ op: 'command', command }, () => {
        deadlines.revive(leases);
      });
    };
    const isSlow = slowMsMax > 0 && host.prng.nextBelow(4) === 0;
    if (isSlow) host.after(host.prng.nextFloat() * slowMsMax, run);
    else run();
  }

  #now(): number {
    return this.#parts.host.monotonicMs();
  }
}
