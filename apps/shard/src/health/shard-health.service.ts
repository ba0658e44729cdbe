import { Injectable } from '@nestjs/common';
import { Health, Membership } from '@ringleader/service-host';
import { ShardService } from '../partitions/shard.service.js';

/** What the cluster is told of this shard: whether it is ready, its ordinal, its load. */
@Injectable()
export class ShardHealthService {
  constructor(health: Health, membership: Membership, shard: ShardService) {
    health.readyWhen(() => shard.notReadyReasons());
    health.readyWhen(() => (membership.isRegistered ? [] : ['the shard is not in the service registry']));
    membership.measure({
      inFlight: () => shard.requests.inFlight,
      requestsTotal: () => shard.requests.total,
    });
    membership.update({ state: 'starting' });
    void shard.ordinal.then((ordinal) => membership.update({ ordinal, state: 'serving' }));
  }
}
