/** The coordinators' group as operators see and change it: by names, at the leader. */
import { Controller } from '@nestjs/common';
import { OperationalError, coordinatorContracts, coordinatorName } from '@ringleader/contracts';
import type { CoordinatorMember, RequestOf, ResponseOf } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import type { Seat } from '@ringleader/raft';
import { CoordinatorConfig } from '../coordinator.config.js';
import { CoordinatorRaft, type RaftGroup } from '../raft/raft-node.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { CorruptionAlarms } from '../upkeep/corruption-alarms.js';
import { isChanging, listed } from './listed.js';
import { notLeader, toMemberError } from './member-errors.js';

const { members, changeMembers, transferLeader } = coordinatorContracts;

const CHANGE_TIMEOUT_MS = 2_500;
const TRANSFER_TIMEOUT_MS = 2_000;

@Controller()
export class MembersController {
  constructor(
    private readonly raft: CoordinatorRaft,
    private readonly store: ReplicatedStore,
    private readonly config: CoordinatorConfig,
    private readonly alarms: CorruptionAlarms,
  ) {}

  @Handles(members)
  members(): ResponseOf<typeof members> {
    const { seat, term } = this.#statusOfLeader();
    const group = this.raft.group();
    const { configurationIndex, applicants } = group;
    return {
      leader: coordinatorName(seat),
      term,
      index: configurationIndex,
      revision: this.store.local.revision,
      joint: isChanging(group),
      members: this.#listed(group, term),
      applicants: applicants.map((one) => ({ name: coordinatorName(one.seat), id: String(one.id) })),
    };
  }

  @Handles(changeMembers)
  async change({
    kind,
    seat,
    isPromotedItself = true,
    ifIndex,
  }: RequestOf<typeof changeMembers>): Promise<ResponseOf<typeof changeMembers>> {
    const { seat: self } = this.#statusOfLeader();
    const isCurrent = ifIndex === undefined || ifIndex === this.raft.group().configurationIndex;
    // Else the answer would go with this process, which ends when it is removed.
    if (kind === 'remove' && seat === self && isCurrent)
      await this.raft.transferLeadership(TRANSFER_TIMEOUT_MS);
    const request = { kind, seat, isPromotedItself, ifIndex: ifIndex ?? null };
    const outcome = await this.raft.changeMembers(request, CHANGE_TIMEOUT_MS);
    if (outcome.kind === 'done') return { index: outcome.index };
    if (outcome.kind !== 'refused') throw unsettled(outcome.kind);
    const { refusal } = outcome;
    if (refusal.reason === 'notLeader') throw this.#notLeader();
    throw toMemberError(refusal, seat, this.raft.group().configuration);
  }

  @Handles(transferLeader)
  async transfer({ to }: RequestOf<typeof transferLeader>): Promise<ResponseOf<typeof transferLeader>> {
    const { seat } = this.#statusOfLeader();
    const { configuration } = this.raft.group();
    if (to === seat) {
      throw new OperationalError('ALREADY_SO', `${coordinatorName(to)} leads already`, { leader: to });
    }
    if (to !== undefined && !configuration.voters.some((voter) => voter.seat === to)) {
      throw toMemberError({ reason: 'notAMember' }, to, configuration);
    }
    if (!(await this.raft.transferLeadership(TRANSFER_TIMEOUT_MS, to))) throw unsettled('unavailable');
    return { leader: this.raft.status().leader };
  }

  #listed(group: RaftGroup, term: number): CoordinatorMember[] {
    const { lastIndex, progress } = group;
    const self = this.raft.status().seat;
    const corrupt = new Set(this.alarms.list().map(({ id }) => id));
    const reachableTicks = this.config.RINGLEADER_RAFT_ELECTION_TICKS;
    return listed(group).map(({ seat, id, isLearner, replaces }) => {
      const known = progress.find((one) => one.id === id);
      const match = known?.match ?? 0;
      const role = isLearner ? 'learner' : seat === self ? 'leader' : 'voter';
      const lag = Math.max(0, lastIndex - match);
      const reachable = role === 'leader' || (known !== undefined && known.heardTicksAgo < reachableTicks);
      const member = {
        name: coordinatorName(seat),
        id: String(id),
        role,
        term,
        match,
        lag,
        reachable,
        ...(corrupt.has(String(id)) && { corrupt: true }),
      } as const;
      return replaces === 0 ? member : { ...member, replaces: String(replaces) };
    });
  }

  #statusOfLeader(): { readonly seat: Seat; readonly term: number } {
    const status = this.raft.status();
    if (!status.leading) throw this.#notLeader();
    return status;
  }

  #notLeader(): OperationalError {
    return notLeader(this.raft.status().leader, 'Members are listed and changed by the leader');
  }
}

function unsettled(kind: 'unavailable' | 'outcomeUnknown'): OperationalError {
  return kind === 'unavailable'
    ? new OperationalError(
        'UNAVAILABLE',
        'The leadership of the coordinators changed, or would not: nothing was done',
      )
    : new OperationalError(
        'OUTCOME_UNKNOWN',
        'The change did not end in time: ringleader coordinator members tells what became of it',
      );
}
