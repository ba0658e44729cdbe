/** The leader's side of a change: whether it may begin now, and how it goes into the log. */
import { invariant } from '@ringleader/primitives';
import { encodeConfiguration } from '../codec/configuration-codec.js';
import { configurationOfLog, type Leader, type MemberState, memberIds } from '../member-state.js';
import { appendOwn } from '../proposals/append-own.js';
import { jointVote } from '../quorum/joint.js';
import { lacksRoom } from '../transfer/transfer.js';
import { type Configuration, entryKinds, type LogIndex, type MemberId, type Term } from '../types.js';
import { configurationFault, idsOf, isJoint } from './configuration.js';
import { type Change, planChange, type PlanRefusal } from './plan-change.js';

export type ChangeRefusal =
  | PlanRefusal
  /** `notReady`: no entry of the leader's own term is committed yet, it has not heard who is there, or is handing over: soon. */
  | { readonly reason: 'notLeader' | 'changeUnderWay' | 'notReady' }
  /** A learner that is to vote has not caught up. */
  | { readonly reason: 'lagging'; readonly match: LogIndex; readonly lastIndex: LogIndex }
  /** With these silent, the voters after the change would not be able to decide anything. */
  | { readonly reason: 'quorumAtRisk'; readonly silent: readonly MemberId[] };

export type ChangeResult =
  /** Done when the entry is committed and, for a change of voters, the configuration is no longer joint. */
  | { readonly kind: 'proposed'; readonly index: LogIndex; readonly term: Term }
  | ({ readonly kind: 'refused' } & ChangeRefusal);

export function changeConfiguration(state: MemberState, change: Change): ChangeResult {
  const { role, log } = state;
  if (role.kind !== 'leader') return { kind: 'refused', reason: 'notLeader' };
  const obstacle = obstacleTo(state, role);
  if (obstacle !== null) return { kind: 'refused', reason: obstacle };
  const configuration = configurationOfLog(state);
  if (change.kind === 'add' && !state.config.rules.mayJoin(configuration, change.member.id)) {
    return { kind: 'refused', reason: 'idUsedBefore' };
  }
  const plan = planChange(configuration, change);
  if (plan.kind === 'refused') return plan;
  const risk = riskOf(state, role, { change, configuration: plan.configuration });
  if (risk !== null) return { kind: 'refused', ...risk };
  appendConfiguration(state, role, plan.configuration);
  return { kind: 'proposed', index: log.lastIndex, term: state.term };
}

/** One change at a time: the next one begins from a configuration that is committed, and not joint. */
function obstacleTo(state: MemberState, leader: Leader): 'changeUnderWay' | 'notReady' | null {
  const { log, config } = state;
  const commitTerm = log.termAt(log.commit);
  invariant(commitTerm !== null, 'the term at the commit index is known');
  if (leader.transfer !== null || lacksRoom(state, leader)) return 'notReady';
  if (!config.rules.knowsCommitIndex(commitTerm, state.term)) return 'notReady';
  const { index, configuration } = log.configurations.newest;
  return isJoint(configuration) || index > log.commit ? 'changeUnderWay' : null;
}

/** What speaks against a change that could be made. */
function riskOf(
  state: MemberState,
  { tracker }: Leader,
  { change, configuration }: { readonly change: Change; readonly configuration: Configuration },
): Exclude<ChangeRefusal, PlanRefusal> | null {
  const { rules, timings } = state.config;
  if (change.kind === 'promote') {
    const progress = tracker.of(change.id);
    invariant(progress !== null, 'a leader sends its log to every learner');
    const isCaughtUp = progress.state === 'replicate' && progress.catchUp.isCaughtUp;
    if (!rules.mayBePromoted(isCaughtUp)) {
      return { reason: 'lagging', match: progress.match, lastIndex: state.log.lastIndex };
    }
  }
  if (!isJoint(configuration)) return null;
  const sets = [idsOf(configuration.voters), idsOf(configuration.outgoing)];
  const isWonBy = (votes: ReadonlyMap<MemberId, boolean>): boolean =>
    jointVote(sets, votes, rules.quorum) === 'won';
  if (isWonBy(tracker.answeredWithin(timings.electionTimeoutTicks))) return null;
  const heard = tracker.heardWithin(timings.electionTimeoutTicks);
  // A new leader does not know yet who is there.
  if (isWonBy(heard)) return { reason: 'notReady' };
  return { reason: 'quorumAtRisk', silent: idsOf(configuration.voters).filter((id) => !heard.has(id)) };
}

/** In force at once: the entry itself is already decided by the sets that it names. */
export function appendConfiguration(state: MemberState, leader: Leader, configuration: Configuration): void {
  const fault = configurationFault(configuration);
  invariant(fault === null, `a configuration that cannot be: ${fault ?? ''}`);
  appendOwn(state, leader, entryKinds.configuration, [encodeConfiguration(configuration)]);
  leader.tracker.follow(memberIds(state), state.log.lastIndex + 1);
}
