/** What follows from the configuration by itself, looked at once per turn. */
import { encodeConfiguration } from '../codec/configuration-codec.js';
import { type Leader, type MemberState, send } from '../member-state.js';
import { stepDown } from '../election/roles.js';
import type { Message, Removed } from '../messages.js';
import { mostAdvanced } from '../transfer/transfer.js';
import type { Configuration, MemberId } from '../types.js';
import { appendConfiguration, changeConfiguration } from './change.js';
import { isJoint, isVoter } from './configuration.js';
import { leftJoint } from './plan-change.js';

export function tendMembership(state: MemberState): void {
  noteChange(state);
  if (state.role.kind === 'leader') tendAsLeader(state, state.role);
  noteChange(state);
  takeCommitted(state);
}

function tendAsLeader(state: MemberState, leader: Leader): void {
  const { index, configuration } = state.log.configurations.newest;
  const { commit } = state.log;
  if (isJoint(configuration)) {
    if (state.config.rules.mayLeaveJoint(index, commit)) {
      appendConfiguration(state, leader, leftJoint(configuration));
    }
  } else if (index <= commit) {
    if (isVoter(configuration, state.config.id)) promoteOne(state, configuration);
    else if (isOwnTermCommitted(state)) makeRoom(state, leader);
  }
}

/** The first learner that waits for it and has caught up: one change at a time. */
function promoteOne(state: MemberState, { learners }: Configuration): void {
  for (const { id, isPromotedItself } of learners) {
    if (isPromotedItself && changeConfiguration(state, { kind: 'promote', id }).kind === 'proposed') return;
  }
}

function isOwnTermCommitted({ log, config, term }: MemberState): boolean {
  const commitTerm = log.termAt(log.commit);
  return commitTerm !== null && config.rules.knowsCommitIndex(commitTerm, term);
}

/** No voter, by a configuration that is committed: until then it had to lead, without counting itself (4.2.2). */
function makeRoom(state: MemberState, leader: Leader): void {
  const successor = mostAdvanced(state, leader);
  if (successor !== null) send(state, { to: successor }, { kind: 'timeoutNow' }, 'nothing');
  stepDown(state, state.term, 'noVoter');
}

function noteChange(state: MemberState): void {
  const { log, outbox } = state;
  const { newest } = log.configurations;
  const { notedConfiguration } = state;
  if (newest === notedConfiguration) return;
  state.notedConfiguration = newest;
  const { index, configuration } = newest;
  if (areSame(configuration, notedConfiguration.configuration)) return;
  outbox.note({ kind: 'configurationChanged', index, configuration });
}

/** A snapshot may bring what is known already. */
function areSame(a: Configuration, b: Configuration): boolean {
  const [left, right] = [encodeConfiguration(a), encodeConfiguration(b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** Whoever finds itself removed for good ends; a leader tells those whom it has removed. */
function takeCommitted(state: MemberState): void {
  const { log, config, role } = state;
  const committed = log.configurations.at(log.commit);
  if (committed === state.committedConfiguration) return;
  const known = new Set(state.committedConfiguration?.configuration.removed);
  state.committedConfiguration = committed;
  const { removed } = committed.configuration;
  if (removed.includes(config.id)) end(state, committed.index);
  if (role.kind !== 'leader') return;
  for (const id of removed) if (!known.has(id)) tellRemoved(state, id);
}

/** True when the message is of no concern any more: its sender is removed, and told so. */
export function isFromRemoved(state: MemberState, { from }: Message): boolean {
  const { log, config } = state;
  if (!config.rules.isBarred(log.configurations.at(log.commit).configuration, from)) return false;
  tellRemoved(state, from);
  return true;
}

function tellRemoved(state: MemberState, to: MemberId): void {
  const { index } = state.log.configurations.at(state.log.commit);
  send(state, { to }, { kind: 'removed', index }, 'hardState');
}

/**
 * Terms do not matter: ids are never used again, so what is said of this one stays true. Only what is committed here speaks against it:
 * a configuration that is not may be one that nobody else will ever have, with an index as high as may be.
 */
export function handleRemoved(state: MemberState, message: Removed): void {
  const { log } = state;
  if (message.index > log.configurations.at(log.commit).index) end(state, message.index);
}

function end(state: MemberState, index: number): void {
  if (state.isRemoved) return;
  state.isRemoved = true;
  state.outbox.note({ kind: 'removed', index });
}
