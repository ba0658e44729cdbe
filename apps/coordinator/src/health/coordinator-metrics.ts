import { Injectable } from '@nestjs/common';
import { ReadFigures, Registry } from '@ringleader/observability';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { WatchService } from '../store/watch.service.js';

@Injectable()
export class CoordinatorMetrics {
  constructor(registry: Registry, store: ReplicatedStore, watches: WatchService) {
    const figures = new ReadFigures(registry, 'ringleader_coordinator_');
    figures.gauge('term', 'The Raft term', () => store.status().term);
    figures.gauge('is_leader', '1 while this member leads', () => (store.status().leading ? 1 : 0));
    const committed = 'The highest log index known to be committed';
    figures.gauge('commit_index', committed, () => store.status().commitIndex);
    const applied = 'The highest log index applied to the store';
    figures.gauge('applied_index', applied, () => store.status().appliedIndex);
    figures.gauge('first_index', 'The oldest log index that is kept', () => store.status().firstIndex);
    figures.gauge('last_index', 'The newest log index', () => store.status().lastIndex);
    figures.gauge('store_revision', 'The revision of the store', () => store.local.revision);
    const compacted = 'The oldest revision that can be read';
    figures.gauge('store_compacted_revision', compacted, () => store.local.compactedRevision);
    figures.gauge('leases', 'Leases that exist', () => store.local.leaseCount);
    figures.gauge('watchers', 'Long polls that wait for a change', () => watches.watcherCount);
    figures.gauge('proposals_in_flight', 'Writes that wait for a majority', () => store.proposalsInFlight);
  }
}
