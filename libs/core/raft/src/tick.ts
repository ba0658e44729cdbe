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
  for (const progress of leader.progress.values()) {
    progress.ticksSinceHeard += 1;
    if (progress.ticksDenied !== null) progress.ticksDenied += 1;
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
function hasQuorum({ config }: MemberState, leader: Leader): boolean {
  const { electionTimeoutTicks } = config.timings;
  const heard = [...leader.progress.values()].filter((progress) =>
    progress.heardWithin(electionTimeoutTicks),
  );
  return heard.length + 1 >= config.rules.quorum(config.members.length);
}
