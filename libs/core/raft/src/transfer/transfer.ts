/** Handing over leadership (3.10): catch the successor up, then tell it not to wait for its time-out. */
import { seekVotes } from '../election/campaign.js';
import { configurationOfLog, type Leader, type MemberState, resultOf, send } from '../member-state.js';
import { idsOf, isVoter } from '../membership/configuration.js';
import type { TimeoutNow } from '../messages.js';
import type { MemberId } from '../types.js';

/** Election time-outs for which a disk may stand still: a sync takes long now and then, also of disks that are sound. */
const STILL_DISK_PATIENCE = 2;

/** Of those that have room, if there are any. Null when no other voter has answered lately. */
export function mostAdvanced(state: MemberState, leader: Leader): MemberId | null {
  const { electionTimeoutTicks } = state.config.timings;
  const voters = new Set(idsOf(configurationOfLog(state).voters));
  const active = [...leader.tracker.all].filter(
    (progress) => voters.has(progress.member) && progress.heardWithin(electionTimeoutTicks),
  );
  active.sort((a, b) => Number(a.isDiskFull) - Number(b.isDiskFull) || b.match - a.match);
  return active[0]?.member ?? null;
}

/** Until it is over, or given up after an election time-out, the leader refuses proposals. False when it cannot begin. */
export function beginTransfer(state: MemberState, target: MemberId | null): boolean {
  const { role } = state;
  if (role.kind !== 'leader') return false;
  const successor = target ?? mostAdvanced(state, role);
  if (
    successor === null ||
    role.tracker.of(successor) === null ||
    !idsOf(configurationOfLog(state).voters).includes(successor)
  )
    return false;
  role.isLeaseVoid = true;
  role.transfer = { target: successor, ticks: 0 };
  urgeSuccessor(state, role);
  return true;
}

/** Repeated with each answer of the successor, in case the message was lost. */
export function urgeSuccessor(state: MemberState, leader: Leader): void {
  const { transfer } = leader;
  if (transfer === null || leader.tracker.of(transfer.target)?.match !== state.log.lastIndex) return;
  send(state, { to: transfer.target }, { kind: 'timeoutNow' }, 'nothing');
}

/** A leader whose disk is full hands over to a voter whose is not. */
export function flee(state: MemberState, leader: Leader): void {
  if (!state.isDiskFull || leader.transfer !== null) return;
  const successor = mostAdvanced(state, leader);
  if (successor !== null && leader.tracker.of(successor)?.isDiskFull === false)
    beginTransfer(state, successor);
}

/**
 * A leader whose own disk stands still, while the others commit without it, hands over: it applies nothing any more, so that it neither
 * answers reads nor renews what its clients hold, and yet goes on to end it. Who is slow, and gains, leads on.
 */
export function leaveStillDisk(state: MemberState, leader: Leader): void {
  const { log, config } = state;
  const { ownDisk } = leader;
  const isStill = !state.isDiskFull && log.written < log.commit && log.written === ownDisk.written;
  ownDisk.ticksStill = isStill ? ownDisk.ticksStill + 1 : 0;
  ownDisk.written = log.written;
  if (ownDisk.ticksStill < STILL_DISK_PATIENCE * config.timings.electionTimeoutTicks) return;
  // Where nobody takes it the group goes on as before for as long again.
  ownDisk.ticksStill = 0;
  if (leader.transfer === null && beginTransfer(state, null))
    state.outbox.note({ kind: 'diskStill', written: log.written, commit: log.commit });
}

/** Whether it proposes nothing for want of room, its own or the majority's. */
export function lacksRoom(state: MemberState, leader: Leader): boolean {
  return state.isDiskFull || isMajorityFull(state, leader);
}

/** Whether so many disks are full, as this leader knows, that nothing can be committed under any leader. */
export function isMajorityFull(state: MemberState, leader: Leader): boolean {
  const full = [...leader.tracker.all].filter(({ isDiskFull }) => isDiskFull).map(({ member }) => member);
  if (state.isDiskFull) full.push(state.config.id);
  return resultOf(state, new Map(full.map((member) => [member, false]))) === 'lost';
}

export function tickTransfer(state: MemberState, leader: Leader): void {
  if (leader.transfer === null) return;
  leader.transfer.ticks += 1;
  if (leader.transfer.ticks >= state.config.timings.electionTimeoutTicks) leader.transfer = null;
}

export function handleTimeoutNow(state: MemberState, message: TimeoutNow): void {
  const mayLead = isVoter(configurationOfLog(state), state.config.id);
  if (mayLead && state.role.kind === 'follower' && state.leader === message.from) seekVotes(state, true);
}
