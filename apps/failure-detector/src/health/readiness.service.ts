import { Injectable } from '@nestjs/common';
import { Health } from '@ringleader/service-host';
import { DetectionService } from '../detection/detection.service.js';
import { MemberListService } from '../registry/member-list.service.js';

/** Why this detector's verdicts are not worth much now. */
@Injectable()
export class ReadinessService {
  constructor(health: Health, detection: DetectionService, memberList: MemberListService) {
    health.readyWhen(() => [
      ...(detection.isHearing ? [] : ['the own heartbeat does not come back from NATS']),
      ...(memberList.isComplete ? [] : ['the registry was not read yet']),
    ]);
  }
}
