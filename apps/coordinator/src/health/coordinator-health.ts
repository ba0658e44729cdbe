/** What this coordinator tells of itself: to the cluster, to who asks for its status, and to Prometheus. */
import {
  type BeforeApplicationShutdown,
  Controller,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { coordinatorContracts, coordinatorName } from '@ringleader/contracts';
import type { ResponseOf } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { ReadFigures, Registry } from '@ringleader/observability';
import { allMembers, learnerOf } from '@ringleader/raft';
import { Health, Membership, ServiceLogger } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { CoordinatorRaft, type RaftGroup, type RaftStatus } from '../raft/raft-node.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { detectorQuorum } from '../verdicts/verdict-steps.js';
import { WatchService } from '../watches/watch.service.js';

/** More than this many entries behind, a member answers from a past that its clients have left. */
const APPLY_LAG_MAX = 10_000;

/** Why the group should not do without another one now; empty when this one votes and keeps up. */
export function notReadyReasons(
  status: Pick<RaftStatus, 'leader' | 'commitIndex' | 'appliedIndex' | 'isDiskFull'>,
  place: PlaceInGroup,
): string[] {
  if (place === 'outside') return [WAITS];
  const reasons: string[] = [];
  if (place === 'learner') reasons.push('it is a learner, and has no vote yet');
  if (status.leader === 0) reasons.push('no leader of the coordinators is known');
  if (status.isDiskFull)
    reasons.push('diskFull: no room for the log, so that no writes are taken until there is');
  const lag = status.commitIndex - status.appliedIndex;
  if (lag > APPLY_LAG_MAX) reasons.push(`${lag} committed entries wait to be applied`);
  return reasons;
}

export type PlaceInGroup = 'voter' | 'learner' | 'outside';

export function placeIn({ id, configuration }: Pick<RaftGroup, 'id' | 'configuration'>): PlaceInGroup {
  const own = allMembers(configuration).some((member) => member.id === id);
  if (!own) return 'outside';
  return learnerOf(configuration, id) === null ? 'voter' : 'learner';
}

const WAITS = 'it is not in the group of coordinators: it waits to be let in';
const REMIND_EVERY_MS = 60_000;

/** Whether it is ready. An empty disk in a cluster that there is already waits for the operator's word, for as long as it takes. */
@Injectable()
export class CoordinatorReadiness implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly raft: CoordinatorRaft,
    private readonly logger: ServiceLogger,
    health: Health,
  ) {
    health.readyWhen(() => notReadyReasons(raft.status(), placeIn(raft.group())));
  }

  onApplicationBootstrap(): void {
    this.#remind();
    this.#timer = setInterval(() => this.#remind(), REMIND_EVERY_MS);
  }

  beforeApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #remind(): void {
    const group = this.raft.group();
    if (placeIn(group) !== 'outside') return;
    const name = coordinatorName(this.raft.status().seat);
    this.logger.info(
      { id: String(group.id) },
      `${name} waits to be let into the group: \`ringleader coordinator add ${name}\``,
    );
  }
}

/** What the cluster is told of this coordinator: its seat, its load. */
@Injectable()
export class CoordinatorHealthService {
  constructor(membership: Membership, config: CoordinatorConfig, store: ReplicatedStore) {
    membership.update({ ordinal: config.RINGLEADER_COORDINATOR_ID });
    membership.measure({
      inFlight: () => store.proposalsInFlight,
      requestsTotal: () => store.requestsTotal,
    });
  }
}

@Controller()
export class StatusController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly config: CoordinatorConfig,
  ) {}

  @Handles(coordinatorContracts.status)
  status(): ResponseOf<typeof coordinatorContracts.status> {
    const { seat, seats, term, leader, role, commitIndex, appliedIndex, firstIndex, lastIndex } =
      this.store.status();
    const { revision, compactedRevision, leaseCount, sizeBytes, sizeLimit } = this.store.local;
    return {
      ...{ memberId: seat, members: [...seats], term, leader, role },
      ...{ commitIndex, appliedIndex, firstIndex, lastIndex },
      revision,
      compactRevision: compactedRevision,
      leases: leaseCount,
      storeBytes: sizeBytes,
      storeBytesMax: sizeLimit.sizeBytesMax,
      detectorQuorum: detectorQuorum({
        store: this.store.local,
        detectors: this.config.RINGLEADER_FAILURE_DETECTORS,
      }),
    };
  }
}

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
    const full = '1 while the disk has no room for the log';
    figures.gauge('disk_full', full, () => (store.status().isDiskFull ? 1 : 0));
    figures.gauge('first_index', 'The oldest log index that is kept', () => store.status().firstIndex);
    figures.gauge('last_index', 'The newest log index', () => store.status().lastIndex);
    figures.gauge('store_revision', 'The revision of the store', () => store.local.revision);
    const compacted = 'The oldest revision that can be read';
    figures.gauge('store_compacted_revision', compacted, () => store.local.compactedRevision);
    const size = 'Of the store with its history, by its own measure';
    figures.gauge('store_bytes', size, () => store.local.sizeBytes);
    const limit = 'What the store may take at most';
    figures.gauge('store_bytes_max', limit, () => store.local.sizeLimit.sizeBytesMax);
    figures.gauge('leases', 'Leases that exist', () => store.local.leaseCount);
    figures.gauge('watchers', 'Watches of this member’s store', () => watches.watchCount);
    const { streams } = watches;
    figures.gauge('watch_streams', 'Streams that carry watches', () => streams.streamCount);
    const behind = 'Watches that are not sent changes as they happen, but catch up from the history';
    figures.gauge('watches_behind', behind, () => streams.behindCount);
    figures.counter('watch_events_total', 'Events sent, once for each watch', () => streams.sentEvents);
    figures.gauge('proposals_in_flight', 'Writes that wait for a majority', () => store.proposalsInFlight);
  }
}
