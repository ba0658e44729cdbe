/**
 * A follower whose leader is known to be gone does not wait for its time-out. By what it is known is the shell's matter: a vote is as safe
 * whenever it is asked for, and who still hears from the leader refuses it.
 */
import { configurationOfLog, type MemberState, setLeader } from '../member-state.js';
import { idsOf } from '../membership/configuration.js';
import type { MemberId } from '../types.js';

/** So many heartbeats may be late before the shell is to look. */
const HEARTBEATS_MISSED = 2;
/** The first one waits until the others, too, have seen that the leader is gone; each of the others, until the one before has had its election. */
const FIRST_TICKS = 2;
const NEXT_TICKS = 3;

/** The leader that this follower has not heard lately; 0: there is none, or it was heard. */
export function silentLeader({ role, leader, ticksSinceLeader, config }: MemberState): MemberId {
  const patience = HEARTBEATS_MISSED * config.timings.heartbeatIntervalTicks;
  return role.kind === 'follower' && ticksSinceLeader > patience ? leader : 0;
}

/** One after the other, by their ids, so that none takes another's votes. Where reads go by a lease, no vote is given before that is over. */
export function leaderLost(state: MemberState): void {
  const { config, ticksSinceLeader } = state;
  const { voters, outgoing } = configurationOfLog(state);
  const others = new Set(idsOf([...voters, ...outgoing]));
  others.delete(state.leader);
  setLeader(state, 0);
  if (!others.has(config.id)) return;
  const rank = [...others].filter((id) => id < config.id).length;
  const leaseTicks = config.lease === null ? 0 : config.timings.electionTimeoutTicks - ticksSinceLeader;
  const waitTicks = Math.max(0, leaseTicks) + FIRST_TICKS + NEXT_TICKS * rank;
  state.electionTimeoutTicks = Math.min(state.electionTimeoutTicks, state.elapsedTicks + waitTicks);
}
