import { Gauge } from '@ringleader/observability';
import type { Registry } from '@ringleader/observability';
import type { ReplicatedStore } from '../store/replicated-store.service.js';
import type { WatchService } from '../store/watch.service.js';

/** Figures that exist anyway: they are read when Prometheus asks for them. */
export function registerCoordinatorMetrics(
  registry: Registry,
  store: ReplicatedStore,
  watches: WatchService,
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `ringleader_coordinator_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('term', 'The Raft term', () => store.status().term);
  gauge('is_leader', '1 while this member leads', () => (store.status().leading ? 1 : 0));
  gauge('commit_index', 'The highest log index known to be committed', () => store.status().commitIndex);
  gauge('applied_index', 'The highest log index applied to the store', () => store.status().appliedIndex);
  gauge('first_index', 'The oldest log index that is kept', () => store.status().firstIndex);
  gauge('last_index', 'The newest log index', () => store.status().lastIndex);
  gauge('store_revision', 'The revision of the store', () => store.local.revision);
  gauge(
    'store_compacted_revision',
    'The oldest revision that can be read',
    () => store.local.compactedRevision,
  );
  gauge('leases', 'Leases that exist', () => store.local.leaseCount);
  gauge('watchers', 'Long polls that wait for a change', () => watches.watcherCount);
  gauge('proposals_in_flight', 'Writes that wait for a majority', () => store.proposalsInFlight);
}
