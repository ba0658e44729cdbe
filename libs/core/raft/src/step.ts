/** One message: terms first, as every message has one (3.3), then what it says. */
import { unreachable } from '@ringleader/primitives';
import { handleVoteReply } from './election/campaign.js';
import { becomeFollower, stepDown } from './election/roles.js';
import { handlePreVote, handleVote, hearsFromLeader } from './election/vote.js';
import { type Leader, type MemberState, send } from './member-state.js';
import { handleRemoved, isFromRemoved } from './membership/tend.js';
import { isFromLeader, type Message, type Removed } from './messages.js';
import { handlePropose, handleProposeRefusal } from './proposals/propose.js';
import { handleReadReply, handleReadRequest } from './read-index/request.js';
import { isPlausible } from './plausible.js';
import { followSender, handleAppend, handleHeartbeat } from './replication/append.js';
import {
  handleAppendRefusal,
  handleAppendReply,
  handleHeartbeatReply,
} from './replication/progress-replies.js';
import { handleSnapshotChunk } from './snapshot/receive.js';
import { handleSnapshotReply } from './snapshot/send.js';
import { handleTimeoutNow } from './transfer/transfer.js';

export function step(state: MemberState, message: Message): void {
  const { config } = state;
  if (message.to !== config.id || state.isRemoved) return;
  if (message.kind === 'removed') {
    handleRemoved(state, message);
    return;
  }
  if (isFromRemoved(state, message)) return;
  if (!isPlausible(state, message)) {
    state.outbox.note({ kind: 'implausible', from: message.from, what: message.kind });
    return;
  }
  if (message.term > state.term && !meetHigherTerm(state, message)) return;
  if (message.term < state.term) {
    meetLowerTerm(state, message);
    return;
  }
  handle(state, message);
}

type MessageWithTerm = Exclude<Message, Removed>;

/** False when the message has no effect. */
function meetHigherTerm(state: MemberState, message: MessageWithTerm): boolean {
  if (message.kind === 'preVote') return !hearsFromLeader(state);
  if (message.kind === 'preVoteReply' && message.granted) return true;
  if (message.kind === 'vote' && !message.transfer && hearsFromLeader(state)) return false;
  if (state.role.kind === 'leader') stepDown(state, message.term, 'higherTerm');
  else becomeFollower(state, message.term, 0);
  return true;
}

/** Whoever is behind learns the present term, so that a leader or candidate of the past gives up. */
function meetLowerTerm(state: MemberState, message: MessageWithTerm): void {
  const to = message.from;
  if (isFromLeader(message))
    send(state, { to }, { kind: 'heartbeatReply', readRound: 0, isDiskFull: state.isDiskFull }, 'hardState');
  else if (message.kind === 'preVote') {
    send(state, { to }, { kind: 'preVoteReply', granted: false }, 'hardState');
  } else if (message.kind === 'vote') {
    send(state, { to }, { kind: 'voteReply', granted: false }, 'hardState');
  }
}

function handle(state: MemberState, message: MessageWithTerm): void {
  switch (message.kind) {
    case 'preVote':
      return handlePreVote(state, message);
    case 'vote':
      return handleVote(state, message);
    case 'preVoteReply':
    case 'voteReply':
      return handleVoteReply(state, message);
    case 'append':
    case 'heartbeat':
    case 'snapshotChunk':
      return handleFromLeader(state, message);
    case 'propose':
      return handlePropose(state, message);
    case 'proposeRefusal':
      return handleProposeRefusal(state, message);
    case 'readRequest':
      return handleReadRequest(state, message);
    case 'readReply':
      return handleReadReply(state, message);
    case 'timeoutNow':
      return handleTimeoutNow(state, message);
    default:
      if (state.role.kind === 'leader') handleReply(state, state.role, message);
  }
}

type FromLeader = Extract<Message, { kind: 'append' | 'heartbeat' | 'snapshotChunk' }>;
type Reply = Extract<Message, { kind: 'appendReply' | 'appendRefusal' | 'heartbeatReply' | 'snapshotReply' }>;

function handleFromLeader(state: MemberState, message: FromLeader): void {
  followSender(state, message.from);
  if (message.kind === 'append') handleAppend(state, message);
  else if (message.kind === 'heartbeat') handleHeartbeat(state, message);
  else handleSnapshotChunk(state, message);
}

function handleReply(state: MemberState, leader: Leader, message: Reply): void {
  switch (message.kind) {
    case 'appendReply':
      return handleAppendReply(state, leader, message);
    case 'appendRefusal':
      return handleAppendRefusal(state, leader, message);
    case 'heartbeatReply':
      return handleHeartbeatReply(state, leader, message);
    case 'snapshotReply':
      return handleSnapshotReply(state, leader, message);
    default:
      return unreachable(message, 'reply');
  }
}
