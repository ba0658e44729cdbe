/** Why the group is not changed, in words of operators. */
import { OperationalError, coordinatorName } from '@ringleader/contracts';
import { allMembers, type Configuration, type Seat } from '@ringleader/raft';
import type { MemberRefusal } from '../raft/group-changes.js';

export function toMemberError(
  refusal: MemberRefusal,
  seat: Seat,
  configuration: Configuration,
): OperationalError {
  const name = coordinatorName(seat);
  const names = (ids?: readonly number[]): string[] =>
    allMembers(configuration)
      .filter(({ id }) => ids?.includes(id) ?? true)
      .map((member) => coordinatorName(member.seat));
  switch (refusal.reason) {
    case 'notLeader':
    case 'notReady':
      return new OperationalError('UNAVAILABLE', 'The leader has only just been elected, or hands over');
    case 'changeUnderWay':
      return new OperationalError('CHANGE_UNDER_WAY', 'Another change of the group is not finished yet');
    case 'indexDiffers': {
      const detail = `The configuration is the one at index ${refusal.index}`;
      return new OperationalError('PRECONDITION_FAILED', detail, { index: refusal.index });
    }
    case 'alreadySo':
      return new OperationalError('ALREADY_SO', `${name} is so already`, { name });
    case 'seatTaken': {
      const detail = `${name} is in the group: if it has lost its disk, ringleader coordinator replace ${name}`;
      return new OperationalError('ALREADY_SO', detail, { name, id: String(refusal.by) });
    }
    case 'noApplicant': {
      const detail = `No ${name} has asked to be let in for 10 s: start it with an empty data folder and RINGLEADER_BOOTSTRAP=join`;
      return new OperationalError('NO_APPLICANT', detail, { name });
    }
    case 'notAMember':
    case 'unknownMember':
      return new OperationalError('MEMBER_NOT_FOUND', `${name} is no member of the group`, {
        ...{ name, members: names() },
      });
    case 'idUsedBefore': {
      const detail = `The ${name} that asks to be let in was removed: it needs an empty data folder`;
      return new OperationalError('MEMBER_REMOVED', detail, { name });
    }
    case 'lagging': {
      const { match, lastIndex } = refusal;
      const detail = `${name} has ${match} of ${lastIndex} entries: it may vote once it has caught up`;
      return new OperationalError('MEMBER_LAGGING', detail, { name, match, lastIndex });
    }
    case 'quorumAtRisk': {
      const silent = names(refusal.silent);
      const detail = `No answer from ${silent.join(', ')}: after this change the group could decide nothing`;
      return new OperationalError('QUORUM_AT_RISK', detail, { name, silent });
    }
    case 'lastVoter':
      return new OperationalError('QUORUM_AT_RISK', `${name} is the last one that votes`, { name });
    case 'tooMany':
      return new OperationalError('ALREADY_SO', 'The group has as many members as it may have: 9', { name });
  }
}

export function notLeader(leader: Seat, sentence: string): OperationalError {
  return new OperationalError('NOT_LEADER', sentence, { leader });
}
