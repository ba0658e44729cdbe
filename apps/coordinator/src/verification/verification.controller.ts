import { Controller } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { notLeader, onlyForOperators } from '../members/member-errors.js';
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
  async startVerification(
    _request: RequestOf<typeof startVerification>,
    speaker: Speaker,
  ): Promise<ResponseOf<typeof startVerification>> {
    onlyForOperators(speaker, 'have replicas compared');
    this.onlyAsLeader();
    return this.verifications.start();
  }

  @Handles(verification)
  verification(_request: RequestOf<typeof verification>): ResponseOf<typeof verification> {
    this.onlyAsLeader();
    return { verification: this.verifications.present() };
  }

  @Handles(reportVerification)
  async reportVerification(
    { id, partitions }: RequestOf<typeof reportVerification>,
    { service, member }: Speaker,
  ): Promise<ResponseOf<typeof reportVerification>> {
    if (service !== 'shard') {
      const detail = `${service} ${member} may not report what shards have compared`;
      throw new OperationalError('FORBIDDEN', detail, { service, member });
    }
    this.onlyAsLeader();
    await this.verifications.hear(id, partitions);
    return {};
  }

  private onlyAsLeader(): void {
    const { leading, leader } = this.store.status();
    if (!leading) throw notLeader(leader, 'What shards have compared is known to the leader');
  }
}
