import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { METADATA_PREFIX, OperationalError } from '@ringleader/contracts';
import { type Command, type CommandResult, RevisionAges, type StoreRevision } from '@ringleader/mvcc';
import type { MonotonicMs } from '@ringleader/primitives';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';

const CHECK_INTERVAL_MS = 500;
/** Ages are known to a twentieth of the one that counts. */
const SIGHTINGS = 20;
/**
 * The limit stands in the log only from here on: members of 0.1.0 do not know the command, and a cluster that is updated one
 * by one is far from its limit.
 */
const LIMIT_IS_SAID_AT = 1 / 2;
/** From here on history is forgotten before its time, so that no write is refused for the sake of it. */
const TIGHT_AT = 3 / 4;
/** By which part of the limit the store has grown when history is forgotten for its size once more. */
const TIGHT_STEP = 1 / 16;

type Bound = Extract<Command, { kind: 'compact' | 'limitSize' }>;
const DONE: Readonly<Record<Bound['kind'], string>> = {
  compact: 'Compacted the history',
  limitSize: 'Limited the size of the store',
};

/**
 * Bounds the store: its history by compaction, by number, by age, and by size where that runs short; and all of it by the
 * limit beyond which it is full. The leader proposes each, so that all members do the same.
 */
@Injectable()
export class CompactionService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #ages: RevisionAges | null;
  #isLeading = false;
  #isRunning = false;
  /** Something was refused for want of room, and no compaction has made any since. */
  #isFull = false;
  /** How large the store was when history was forgotten for its size. */
  #tightBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {
    const ageMs = config.RINGLEADER_COMPACTION_AGE_MS;
    this.#ages = ageMs === undefined ? null : new RevisionAges(ageMs / SIGHTINGS);
  }

  onApplicationBootstrap(): void {
    this.store.onLeadership(({ leading }) => {
      this.#isLeading = leading;
    });
    this.store.onChange((result) => {
      this.#watchRoom(result);
      this.check();
    });
    this.#timer = setInterval(() => this.check(), CHECK_INTERVAL_MS);
  }

  onApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#isLeading = false;
  }

  /** Proposes what is due. Runs by itself, once started. */
  check(): void {
    const now = this.clock.monotonicMs();
    this.#ages?.note(this.store.local.revision, now);
    // Also where another member leads: what is older is forgotten by that.
    const byAge = this.#dueByAge(now);
    if (!this.#isLeading || this.#isRunning) return;
    const command = this.#limitDue() ?? this.#compactionDue(byAge);
    if (command !== null) void this.#propose(command);
  }

  /** Revisions whose age is kept in mind. */
  get agesKept(): number {
    return this.#ages?.count ?? 0;
  }

  /** Also where another member leads: whoever leads next forgets nothing for what was full before. */
  #watchRoom(result: CommandResult | null): void {
    if (result === null || result.kind === 'compacted' || result.kind === 'sizeLimited') this.#measureRoom();
    if (result?.kind !== 'rejected' || result.rejection.reason !== 'storeFull') return;
    if (!this.#isFull) this.logger.warn({ ...result.rejection }, 'The store is full');
    this.#isFull = true;
  }

  #measureRoom(): void {
    const { sizeBytes, sizeLimit } = this.store.local;
    this.#tightBytes = sizeBytes;
    if (sizeBytes < sizeLimit.sizeBytesMax * (1 - TIGHT_STEP)) this.#isFull = false;
  }

  #limitDue(): Bound | null {
    const { sizeBytes, sizeLimit } = this.store.local;
    const sizeBytesMax = this.config.RINGLEADER_STORE_BYTES_MAX;
    if (sizeLimit.sizeBytesMax === sizeBytesMax && sizeLimit.exemptPrefix === METADATA_PREFIX) return null;
    if (sizeLimit.sizeBytesMax === 0 && sizeBytes < sizeBytesMax * LIMIT_IS_SAID_AT) return null;
    return { kind: 'limitSize', sizeBytesMax, exemptPrefix: METADATA_PREFIX };
  }

  #compactionDue(byAge: StoreRevision | null): Bound | null {
    const targets = [this.#dueByCount(), byAge, this.#dueBySize()];
    const revision = Math.max(...targets.map((target) => target ?? 0));
    return revision > this.store.local.compactedRevision ? { kind: 'compact', revision } : null;
  }

  #dueByCount(): StoreRevision | null {
    const eventsMin = this.config.RINGLEADER_COMPACTION_EVENTS;
    return this.store.local.compactionTarget({ eventsMin, eventsMax: 2 * eventsMin });
  }

  #dueByAge(now: MonotonicMs): StoreRevision | null {
    const ageMs = this.config.RINGLEADER_COMPACTION_AGE_MS ?? 0;
    return this.#ages?.reachedBefore(ageMs, now) ?? null;
  }

  /** In a full store all of the history; where that comes near, half of it. */
  #dueBySize(): StoreRevision | null {
    const { local } = this.store;
    const { sizeBytesMax } = local.sizeLimit;
    const { sizeBytes } = local;
    if (this.#isFull) return local.revision;
    this.#tightBytes = Math.min(this.#tightBytes, sizeBytes);
    const isTight = sizeBytesMax > 0 && sizeBytes >= sizeBytesMax * TIGHT_AT;
    if (!isTight || sizeBytes - this.#tightBytes < sizeBytesMax * TIGHT_STEP) return null;
    return local.compactionTarget({ eventsMin: local.eventCount >>> 1, eventsMax: 0 });
  }

  /** What fails is proposed again as long as it is due. */
  async #propose(command: Bound): Promise<void> {
    this.#isRunning = true;
    try {
      const { store } = this;
      const result = await (command.kind === 'compact'
        ? store.compact(command.revision)
        : store.propose(command));
      // Somebody may have compacted further meanwhile.
      if (result.kind !== 'rejected') this.logger.info({ ...command }, DONE[command.kind]);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ ...command, error }, 'A bound of the store was not confirmed');
    } finally {
      this.#isRunning = false;
    }
  }
}
