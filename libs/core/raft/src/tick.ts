/** Time, in ticks of the shell's. */
import { seekPreVotes } from './election/campaign.js';
import { resetTimer, stepDown } from './election/roles.js';
import { configurationOfLog, type Leader, type MemberState, resultOf, setLeader } from './member-state.js';
import { isVoter } from './membership/configuration.js';
import { sendHeartbeats } from './replication/replicate.js';
import { tickSnapshots } from './snapshot/send.js';
import { tickTransfer } from './transfer/transfer.js';

export function tick(state: MemberState): void {
  if (state.isRemoved) return;
  state.elapsedTicks += 1;
  state.ticksSinceLeader += 1;
  if (state.role.kind === 'leader') tickLeader(state, state.role);
  else if (state.elapsedTicks >= state.electionTimeoutTicks) timeOut(state);
}

/** Only voters seek election; others know only that nobody leads them. */
function timeOut(state: MemberState): void {
  if (isVoter(configurationOfLog(state), state.config.id)) {
    seekPreVotes(state);
    return;
  }
  resetTimer(state);
  setLeader(state, 0);
}

function tickLeader(state: MemberState, leader: Leader): void {
  const { timings } = state.config;
  for (const progress of leader.tracker.all) {
    progress.ticksSinceHeard += 1;
    if (progress.ticksDenied !== null) progress.ticksDenied += 1;
    progress.catchUp.tick(progress.match, state.log.lastIndex, timings.electionTimeoutTicks);
  }
  if (state.elapsedTicks >= timings.electionTimeoutTicks) {
    resetTimer(state);
    if (!hasQuorum(state, leader)) {
      stepDown(state, state.term, 'quorumLost');
      return;
    }
  }
  tickTransfer(state, leader);
  tickSnapshots(state, leader);
  leader.ticksSinceHeartbeat += 1;
  if (leader.ticksSinceHeartbeat >= timings.heartbeatIntervalTicks) sendHeartbeats(state, leader);
}

/** Check-quorum (6.2): a leader that no majority answers makes room, and lets its clients look for another. */
function hasQuorum(state: MemberState, leader: Leader): boolean {
  const { electionTimeoutTicks } = state.config.timings;
  return resultOf(state, leader.tracker.heardWithin(electionTimeoutTicks)) === 'won';
}
