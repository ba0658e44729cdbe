/** Time, in ticks of the shell's. */
import { seekPreVotes } from './election/campaign.js';
import { resetTimer, stepDown } from './election/roles.js';
import { configurationOfLog, type Leader, type MemberState, resultOf, setLeader } from './member-state.js';
import { isVoter, learnerOf } from './membership/configuration.js';
import { sendHeartbeats } from './replication/replicate.js';
import { tickSnapshots } from './snapshot/send.js';
import { flee, leaveStillDisk, tickTransfer } from './transfer/transfer.js';

/** Election time-outs in which voters will have elected one of their own, if they can. */
const LEARNER_PATIENCE = 4;
/** As many, in which somebody will have been elected whose disk has room, if there is one. */
const FULL_DISK_PATIENCE = 2;

export function tick(state: MemberState): void {
  if (state.isRemoved) return;
  state.elapsedTicks += 1;
  state.ticksSinceLeader += 1;
  if (state.role.kind === 'leader') tickLeader(state, state.role);
  else if (state.elapsedTicks >= state.electionTimeoutTicks) timeOut(state);
}

/** Who may not seek election knows only that nobody leads it. */
function timeOut(state: MemberState): void {
  if (maySeekElection(state) && !makesRoom(state)) {
    seekPreVotes(state);
    return;
  }
  resetTimer(state);
  setLeader(state, 0);
}

/** It could only hand over. */
function makesRoom({ isDiskFull, ticksSinceLeader, config }: MemberState): boolean {
  return isDiskFull && ticksSinceLeader < FULL_DISK_PATIENCE * config.timings.electionTimeoutTicks;
}

/**
 * Voters; and, as no vote is counted that is not a voter's, whoever else the group may not get on without:
 *
 *  - who has a configuration without itself that is not committed (4.2.2): those who have to decide it may lack it, and elect
 *    nobody whose log is shorter than its own;
 *  - a learner, when there has been no leader for long: it may have the newest entries of a leader that died, and the vote that
 *    those need who have it for a voter already. When it leads, it makes room as soon as the voters have what it has.
 */
function maySeekElection(state: MemberState): boolean {
  const { log, config, ticksSinceLeader } = state;
  const configuration = configurationOfLog(state);
  const committed = log.configurations.at(log.commit).configuration;
  if (isVoter(configuration, config.id) || isVoter(committed, config.id)) return true;
  const isPatienceOver = ticksSinceLeader >= LEARNER_PATIENCE * config.timings.electionTimeoutTicks;
  return isPatienceOver && learnerOf(configuration, config.id) !== null;
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
  flee(state, leader);
  leaveStillDisk(state, leader);
  tickSnapshots(state, leader);
  leader.ticksSinceHeartbeat += 1;
  if (leader.ticksSinceHeartbeat >= timings.heartbeatIntervalTicks) sendHeartbeats(state, leader);
}

/** Check-quorum (6.2): a leader that no majority answers makes room, and lets its clients look for another. */
function hasQuorum(state: MemberState, leader: Leader): boolean {
  const { electionTimeoutTicks } = state.config.timings;
  return resultOf(state, leader.tracker.heardWithin(electionTimeoutTicks)) === 'won';
}
