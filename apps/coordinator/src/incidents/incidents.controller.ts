import { Controller } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { notLeader } from '../members/member-errors.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { IncidentsService } from './incidents.service.js';

const { reportIncident } = coordinatorContracts;

@Controller()
export class IncidentsController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly incidents: IncidentsService,
  ) {}

  @Handles(reportIncident)
  async reportIncident(
    report: RequestOf<typeof reportIncident>,
    { service, member }: Speaker,
  ): Promise<ResponseOf<typeof reportIncident>> {
    if (member !== report.shard) {
      const detail = `${service} ${member} may not report incidents of ${report.shard}`;
      throw new OperationalError('FORBIDDEN', detail, { service, member });
    }
    const { leading, leader } = this.store.status();
    if (!leading) throw notLeader(leader, 'Incidents are written down by the leader');
    return { id: await this.incidents.add(report) };
  }
}
