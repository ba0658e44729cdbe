import { Injectable } from '@nestjs/common';
import { Health, Membership } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { notReadyReasons } from './readiness.js';

/** What the cluster is told of this coordinator: whether it is ready, its seat, its load. */
@Injectable()
export class CoordinatorHealthService {
  constructor(health: Health, membership: Membership, config: CoordinatorConfig, store: ReplicatedStore) {
    health.readyWhen(() => notReadyReasons(store.status()));
    membership.update({ ordinal: config.RINGLEADER_COORDINATOR_ID });
    membership.measure({
      inFlight: () => store.proposalsInFlight,
      requestsTotal: () => store.requestsTotal,
    });
  }
}
