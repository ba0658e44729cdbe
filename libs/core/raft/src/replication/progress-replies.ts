/** What a leader learns from its followers' answers. */
import { heardProgress, type Leader, type MemberState } from '../member-state.js';
import type { AppendRefusal, AppendReply, HeartbeatReply } from '../messages.js';
import { confirmRound } from '../read-index/leader-reads.js';
import { resendChunk } from '../snapshot/send.js';
import { urgeSuccessor } from '../transfer/transfer.js';
import type { Progress } from '../tracker/progress.js';
import { settleByCounting } from './commit.js';

export function handleAppendReply(state: MemberState, leader: Leader, message: AppendReply): void {
  const progress = heardProgress(leader, message.from);
  // A match past this log's end cannot be an answer to this leader.
  if (progress === null || message.matchIndex > state.log.lastIndex) return;
  const isNews = progress.matched(message.matchIndex);
  const { electionTimeoutTicks } = state.config.timings;
  progress.catchUp.reached(progress.match, state.log.lastIndex, electionTimeoutTicks);
  if (progress.state === 'probe') progress.becomeReplicate();
  else if (progress.state === 'snapshot' && progress.match >= state.log.base.index)
    progress.becomeReplicate();
  if (isNews) settleByCounting(state);
  urgeSuccessor(state, leader);
}

export function handleAppendRefusal(state: MemberState, leader: Leader, message: AppendRefusal): void {
  const progress = heardProgress(leader, message.from);
  if (progress === null) return;
  // Of the follower's hint, what this log does not hold in a later term may match.
  const fitting = state.log.newestAtMost(message.hintIndex, message.hintTerm);
  progress.refused(message.refusedIndex, fitting.index, state.config.timings.electionTimeoutTicks);
}

/**
 * An answer to a heartbeat also shows that the way is open: what was lost before is found by the next Append, which carries nothing while
 * the window is full. Who answers may have got everything, and a disk that stands still: it is sent no more than the window.
 */
export function handleHeartbeatReply(state: MemberState, leader: Leader, message: HeartbeatReply): void {
  const progress = heardProgress(leader, message.from);
  if (progress === null) return;
  noteRoom(progress, message.isDiskFull);
  progress.isProbeOut = false;
  if (progress.match < state.log.lastIndex) progress.isAppendDue = true;
  if (!progress.isDiskFull) resendChunk(state, leader, progress);
  confirmRound(state, leader, message.from, message.readRound);
  urgeSuccessor(state, leader);
}

/** What was sent to it meanwhile it has thrown away: where there is room again, it is sent from what it has. */
function noteRoom(progress: Progress, isDiskFull: boolean): void {
  if (isDiskFull && !progress.isDiskFull && progress.state === 'replicate') {
    progress.becomeProbe(progress.match + 1);
  }
  progress.isDiskFull = isDiskFull;
}
