/** Time, in ticks of the shell's. */
import { seekPreVotes } from './election/campaign.js';
import { resetTimer, stepDown } from './election/roles.js';
import type { Leader, MemberState } from './member-state.js';
import { sendHeartbeats } from './replication/replicate.js';
import { tickSnapshots } from './snapshot/send.js';
import { tickTransfer } from './transfer/transfer.js';

export function tick(state: MemberState): void {
  state.elapsedTicks += 1;
  if (state.role.kind === 'leader') tickLeader(state, state.role);
  else if (state.elapsedTicks >= state.electionTimeoutTicks) seekPreVotes(state);
}

function tickLeader(state: MemberState, leader: Leader): void {
  const { timings } = state.config;
  if (state.elapsedTicks >= timings.electionTimeoutTicks) {
    resetTimer(state);
    if (!hasQuorum(state, leader)) {
      stepDown(state, state.term, 'quorumLost');
      return;
    }
  }
  tickTransfer(state, leader);
  tickSnapshots(leader);
  leader.ticksSinceHeartbeat += 1;
  if (leader.ticksSinceHeartbeat >= timings.heartbeatIntervalTicks) sendHeartbeats(state, leader);
}

/** Check-quorum (6.2): a leader that no majority answers makes room, and lets its clients look for another. */
function hasQuorum({ config }: MemberState, leader: Leader): boolean {
  let active = 1;
  for (const progress of leader.progress.values()) {
    if (progress.isRecentlyActive) active += 1;
    progress.isRecentlyActive = false;
  }
  return active >= config.rules.quorum(config.members.length);
}
