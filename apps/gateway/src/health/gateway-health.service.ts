import { Injectable } from '@nestjs/common';
import { Health, Membership } from '@ringleader/service-host';
import { ClusterReport } from '../cluster/cluster-report.js';
import { Admission } from '../http/admission.js';

/** What the cluster is told of this gateway: whether it can route, and its load. */
@Injectable()
export class GatewayHealthService {
  constructor(health: Health, membership: Membership, report: ClusterReport, admission: Admission) {
    health.readyWhen(() => report.unreadyReasons());
    membership.measure({
      inFlight: () => admission.inFlight,
      requestsTotal: () => admission.requestsTotal,
    });
  }
}
