import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import { ServiceLogger } from '@ringleader/service-host';
import { ReplicatedStore } from '../store/replicated-store.service.js';

/**
 * How much history is kept for watchers that were away: enough that a process which pauses for a minute resumes, little
 * enough that snapshots stay small. The first map of the largest cluster alone is 16,384 events.
 */
const HISTORY_EVENTS = { eventsMin: 20_000, eventsMax: 40_000 } as const;

/** Bounds the store's history: the leader proposes what to forget, so that all members forget the same. */
@Injectable()
export class CompactionService implements OnApplicationBootstrap {
  #isLeading = false;
  #isRunning = false;

  constructor(
    private readonly store: ReplicatedStore,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.store.onLeadership(({ leading }) => {
      this.#isLeading = leading;
    });
    this.store.onChange(() => this.#compactIfDue());
  }

  #compactIfDue(): void {
    if (!this.#isLeading || this.#isRunning) return;
    const revision = this.store.local.compactionTarget(HISTORY_EVENTS);
    if (revision !== null) void this.#compact(revision);
  }

  /** What fails is proposed again after the next change of the store. */
  async #compact(revision: number): Promise<void> {
    this.#isRunning = true;
    try {
      await this.store.propose({ kind: 'compact', revision });
      this.logger.info({ revision }, 'Compacted the history');
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ revision, error }, 'Compaction was not confirmed');
    } finally {
      this.#isRunning = false;
    }
  }
}
