import { Inject, Injectable } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { ControlServer } from '@ringleader/nats';
import type { CoordinatorConfig } from '../coordinator.config.js';
import { ownSubject } from '../own-subject.js';
import { CONFIG } from '../tokens.js';
import { LeaseKeeperService } from './lease-keeper.service.js';

@Injectable()
export class LeaseController {
  constructor(
    @Inject(CONFIG) private readonly config: CoordinatorConfig,
    @Inject(LeaseKeeperService) private readonly leases: LeaseKeeperService,
  ) {}

  register(server: ControlServer): void {
    const { leaseGrant, leaseKeepAlive, leaseRevoke } = coordinatorContracts;
    const subject = ownSubject.bind(null, this.config);
    server.handle(leaseGrant, subject('leaseGrant'), (request) => this.leases.grant(request));
    server.handle(leaseKeepAlive, subject('leaseKeepAlive'), (request) => this.leases.keepAlive(request));
    server.handle(leaseRevoke, subject('leaseRevoke'), (request) => this.leases.revoke(request));
  }
}
