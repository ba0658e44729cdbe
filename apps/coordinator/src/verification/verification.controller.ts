import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { notLeader } from '../members/member-errors.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { VerificationService } from './verification.service.js';

const { startVerification, verification, reportVerification } = coordinatorContracts;

@Controller()
export class VerificationController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly verifications: VerificationService,
  ) {}

  @Handles(startVerification)
  async startVerification(): Promise<ResponseOf<typeof startVerification>> {
    this.onlyAsLeader();
    return this.verifications.start();
  }

  @Handles(verification)
  verification(_request: RequestOf<typeof verification>): ResponseOf<typeof verification> {
    this.onlyAsLeader();
    return { verification: this.verifications.present() };
  }

  @Handles(reportVerification)
  async reportVerification({
    id,
    partitions,
  }: RequestOf<typeof reportVerification>): Promise<ResponseOf<typeof reportVerification>> {
    this.onlyAsLeader();
    await this.verifications.hear(id, partitions);
    return {};
  }

  private onlyAsLeader(): void {
    const { leading, leader } = this.store.status();
    if (!leading) throw notLeader(leader, 'What shards have compared is known to the leader');
  }
}
