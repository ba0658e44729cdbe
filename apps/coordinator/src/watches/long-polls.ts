import { OperationalError, type coordinatorContracts, compactedError } from '@ringleader/contracts';
import type { RequestOf, ResponseOf } from '@ringleader/contracts';
import { ANSWER_BYTES_MAX } from '@ringleader/mvcc';
import type { KeyRange, MvccStore, WatchOutcome, WatchPosition } from '@ringleader/mvcc';
import type { Clock } from '@ringleader/primitives';
import { unavailable } from '../store/replicated-store.service.js';
import { ANSWER_ITEMS_MAX, toKeyRange, toWireItem } from '../store/wire.js';
import type { StoreFollowers } from './store-followers.js';

type Contract = typeof coordinatorContracts.watch;
type Events = Extract<WatchOutcome, { kind: 'events' }>;

const POLLS_MAX = 4_096;

export interface LongPollsParts {
  readonly store: () => MvccStore;
  readonly followers: StoreFollowers;
  readonly clock: Clock;
  /** A member that is cut off hears of nothing: "no events" must not come from it. */
  readonly canServe: () => boolean;
}

/** The watches of version 0.1.0: each waits for a change in its range, up to the time its caller gave. */
export class LongPolls {
  /** With the position from which on there is something to see; null where anything may have happened. */
  readonly #waiting = new Set<(from: WatchPosition | null) => void>();
  #due: (() => void)[] = [];

  constructor(private readonly parts: LongPollsParts) {
    parts.followers.onRevision(() => {
      if (this.#due.length > 0) for (const wake of this.#due.splice(0)) wake();
    });
  }

  get size(): number {
    return this.#waiting.size;
  }

  async watch(request: RequestOf<Contract>): Promise<ResponseOf<Contract>> {
    const { clock, canServe, followers } = this.parts;
    const deadline = clock.monotonicMs() + request.waitMs;
    let found = this.#look(request, { revision: request.fromRevision, skip: request.skip ?? 0 });
    for (;;) {
      if (found.events.length > 0) return toResponse(found);
      if (!canServe()) throw unavailable();
      const remainingMs = deadline - clock.monotonicMs();
      if (remainingMs <= 0) return toResponse(found);
      const { next } = found;
      const position = await this.#change(toKeyRange(request), next.revision, remainingMs);
      found =
        position === 'nothing'
          ? {
              ...found,
              next: { revision: Math.max(next.revision, followers.seen + 1), skip: 0 },
            }
          : this.#look(request, position ?? next);
    }
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake(null);
  }

  #look(request: RequestOf<Contract>, from: WatchPosition): Events {
    const outcome = this.parts.store().watch({
      ...toKeyRange(request),
      from,
      eventsMax: ANSWER_ITEMS_MAX,
      sizeBytesMax: ANSWER_BYTES_MAX,
    });
    if (outcome.kind === 'compacted') throw compactedError(from.revision, outcome.compactedRevision);
    return outcome;
  }

  #change(range: KeyRange, from: number, timeoutMs: number): Promise<WatchPosition | null | 'nothing'> {
    if (this.#waiting.size >= POLLS_MAX) {
      throw new OperationalError('OVERLOADED', 'This member serves as many watches as it can', {
        watchersMax: POLLS_MAX,
      });
    }
    const { followers } = this.parts;
    return new Promise((resolve) => {
      let isDue = false;
      const follower = {
        ...range,
        see: (revision: number) => {
          if (isDue || revision < from) return;
          isDue = true;
          this.#due.push(() => end({ revision, skip: 0 }));
        },
      };
      const end = (outcome: WatchPosition | null | 'nothing'): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        followers.delete(follower);
        resolve(outcome);
      };
      const timer = setTimeout(() => end('nothing'), timeoutMs);
      this.#waiting.add(end);
      followers.add(follower);
    });
  }
}

function toResponse({ events, next }: Events): ResponseOf<Contract> {
  return {
    events: events.map(({ kind, item }) => ({ kind, item: toWireItem(item) })),
    nextRevision: next.revision,
    nextSkip: next.skip,
  };
}
