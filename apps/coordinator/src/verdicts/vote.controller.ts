import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { notLeader } from '../members/member-errors.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { VerdictsService } from './verdicts.service.js';

const { vote } = coordinatorContracts;

/** Each failure detector votes for itself: who speaks is vouched for by NATS. */
@Controller()
export class VoteController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly verdicts: VerdictsService,
  ) {}

  @Handles(vote)
  vote(request: RequestOf<typeof vote>, { member }: Speaker): ResponseOf<typeof vote> {
    const { leading, leader } = this.store.status();
    if (!leading) throw notLeader(leader, 'Votes are counted by the leader');
    return { verdicts: this.verdicts.take(String(member), request) };
  }
}
