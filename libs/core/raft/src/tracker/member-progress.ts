/** How far the members have come, for people. */
import { allMembers, isVoter } from '../membership/configuration.js';
import { configurationOfLog, type Leader, type MemberState } from '../member-state.js';
import type { MemberProgress } from '../ready.js';

export function memberProgress(state: MemberState, leader: Leader): MemberProgress[] {
  const { log, config } = state;
  const configuration = configurationOfLog(state);
  return allMembers(configuration).map(({ id }) => {
    const role = isVoter(configuration, id) ? 'voter' : 'learner';
    const progress = leader.tracker.of(id);
    if (id === config.id || progress === null) {
      return { id, role, match: log.written, next: log.lastIndex + 1, state: 'replicate', heardTicksAgo: 0 };
    }
    const { match, next, ticksSinceHeard } = progress;
    return { id, role, match, next, state: progress.state, heardTicksAgo: ticksSinceHeard };
  });
}
