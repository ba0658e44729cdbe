import { Inject, Injectable } from '@nestjs/common';
import { DetectionService } from '../detection/detection.service.js';
import { MemberListService } from '../registry/member-list.service.js';

@Injectable()
export class ReadinessService {
  constructor(
    @Inject(DetectionService) private readonly detection: DetectionService,
    @Inject(MemberListService) private readonly memberList: MemberListService,
  ) {}

  /** One sentence for each reason why this detector's verdicts are not worth much now. */
  notReadyReasons(): string[] {
    const reasons: string[] = [];
    if (!this.detection.isHearing) reasons.push('the own heartbeat does not come back from NATS');
    if (!this.memberList.isComplete) reasons.push('the registry was not read yet');
    return reasons;
  }
}
