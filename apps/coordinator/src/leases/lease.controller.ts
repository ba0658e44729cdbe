import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { LeaseKeeperService } from './lease-keeper.service.js';

const { leaseGrant, leaseKeepAlive, leaseRevoke } = coordinatorContracts;

@Controller()
export class LeaseController {
  constructor(private readonly leases: LeaseKeeperService) {}

  @Handles(leaseGrant)
  grant(request: RequestOf<typeof leaseGrant>): Promise<ResponseOf<typeof leaseGrant>> {
    return this.leases.grant(request);
  }

  @Handles(leaseKeepAlive)
  keepAlive(request: RequestOf<typeof leaseKeepAlive>): Promise<ResponseOf<typeof leaseKeepAlive>> {
    return this.leases.keepAlive(request);
  }

  /** Deletes the keys that are under the lease. */
  @Handles(leaseRevoke)
  revoke(request: RequestOf<typeof leaseRevoke>, speaker: Speaker): Promise<ResponseOf<typeof leaseRevoke>> {
    return this.leases.revoke(request, speaker);
  }
}
