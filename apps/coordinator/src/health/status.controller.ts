import { Inject, Injectable } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { ResponseOf } from '@ringleader/contracts';
import type { ControlServer } from '@ringleader/nats';
import type { CoordinatorConfig } from '../coordinator.config.js';
import { ownSubject } from '../own-subject.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { CONFIG } from '../tokens.js';

@Injectable()
export class StatusController {
  constructor(
    @Inject(CONFIG) private readonly config: CoordinatorConfig,
    @Inject(ReplicatedStore) private readonly store: ReplicatedStore,
  ) {}

  register(server: ControlServer): void {
    const { status } = coordinatorContracts;
    server.handle(status, ownSubject(this.config, 'status'), () => Promise.resolve(this.status()));
  }

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
