import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf } from '@ringleader/contracts';
import { ANSWER_BYTES_MAX } from '@ringleader/mvcc';
import type { WatchOutcome } from '@ringleader/mvcc';
import { ServiceClock } from '@ringleader/service-host';
import { ReplicatedStore, unavailable } from './replicated-store.service.js';
import { ANSWER_ITEMS_MAX, compacted, toKeyRange, toWireItem } from './wire.js';

type Contract = typeof coordinatorContracts.watch;
type Events = Extract<WatchOutcome, { kind: 'events' }>;

const WATCHERS_MAX = 4_096;

/** Long polls: each waits for the store to change, up to the time its caller gave. */
@Injectable()
export class WatchService implements BeforeApplicationShutdown {
  readonly #waiting = new Set<() => void>();
  #isStopped = false;

  constructor(
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
  ) {
    store.onChange(() => this.#wakeAll());
  }

  get watcherCount(): number {
    return this.#waiting.size;
  }

  async watch(request: RequestOf<Contract>): Promise<ResponseOf<Contract>> {
    const deadline = this.clock.monotonicMs() + request.waitMs;
    let found = this.#look(request, { revision: request.fromRevision, skip: request.skip ?? 0 });
    for (;;) {
      if (found.events.length > 0) return toResponse(found);
      // A member that is cut off hears of nothing: "no events" must not come from it.
      if (this.#isStopped || this.store.status().leader === 0) throw unavailable();
      const remainingMs = deadline - this.clock.monotonicMs();
      if (remainingMs <= 0) return toResponse(found);
      await this.#change(remainingMs);
      found = this.#look(request, found.next);
    }
  }

  /** Ends all long polls, so that their callers go to another member. */
  beforeApplicationShutdown(): void {
    this.#isStopped = true;
    this.#wakeAll();
  }

  #look(request: RequestOf<Contract>, from: Events['next']): Events {
    const outcome = this.store.local.watch({
      ...toKeyRange(request),
      from,
      eventsMax: ANSWER_ITEMS_MAX,
      sizeBytesMax: ANSWER_BYTES_MAX,
    });
    if (outcome.kind === 'compacted') throw compacted(outcome.compactedRevision);
    return outcome;
  }

  #change(timeoutMs: number): Promise<void> {
    if (this.#waiting.size >= WATCHERS_MAX) {
      throw new OperationalError('OVERLOADED', 'This member serves as many watches as it can', {
        watchersMax: WATCHERS_MAX,
      });
    }
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

function toResponse({ events, next }: Events): ResponseOf<Contract> {
  return {
    events: events.map(({ kind, item }) => ({ kind, item: toWireItem(item) })),
    nextRevision: next.revision,
    nextSkip: next.skip,
  };
}
