import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { ResponseOf } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { ReplicatedStore } from '../store/replicated-store.service.js';

@Controller()
export class StatusController {
  constructor(private readonly store: ReplicatedStore) {}

  @Handles(coordinatorContracts.status)
  status(): ResponseOf<typeof coordinatorContracts.status> {
    const { memberId, term, leader, role, commitIndex, appliedIndex, firstIndex, lastIndex } =
      this.store.status();
    const { revision, compactedRevision, leaseCount } = this.store.local;
    return {
      ...{ memberId, term, leader, role, commitIndex, appliedIndex, firstIndex, lastIndex },
      revision,
      compactRevision: compactedRevision,
      leases: leaseCount,
    };
  }
}
