/** The follower's side of replication (3.5, 3.6.2). */
import { becomeFollower } from '../election/roles.js';
import { type MemberState, send } from '../member-state.js';
import type { Append, Heartbeat } from '../messages.js';
import { type Entry, needsRoom } from '../types.js';

/** There is one leader per term: whoever sends as the leader of this term is it. */
export function followSender(state: MemberState, from: number): void {
  if (state.role.kind !== 'follower' || state.leader !== from) becomeFollower(state, state.term, from);
  state.elapsedTicks = 0;
  state.ticksSinceLeader = 0;
}

export function handleAppend(state: MemberState, message: Append): void {
  const { log, config } = state;
  if (message.prevIndex < log.commit) {
    // Older than what is settled: nothing to check, and part of it may be compacted away.
    reply(state, message, log.commit);
    return;
  }
  const fits = config.rules.fitsAfter(log.termAt(message.prevIndex), message.prevTerm);
  if (!fits || message.prevIndex > log.lastIndex) {
    refuse(state, message);
    return;
  }
  // Its log continues the leader's by itself.
  state.incomingSnapshot = null;
  const news = newsIn(state, message);
  // It hears nothing; answers to heartbeats say why.
  if (state.isDiskFull && news.some(needsRoom)) return;
  if (news.length > 0) {
    state.log.put(news);
    state.outbox.logChanged();
  }
  const lastMatching = message.prevIndex + message.entries.length;
  // What lies behind may be of a leader of the past.
  log.commitTo(Math.min(message.commit, lastMatching));
  reply(state, message, lastMatching);
}

export function handleHeartbeat(state: MemberState, message: Heartbeat): void {
  state.log.commitTo(Math.min(message.commit, state.log.lastIndex));
  const { isDiskFull } = state;
  const body = { kind: 'heartbeatReply', readRound: message.readRound, isDiskFull } as const;
  send(state, { to: message.from }, body, 'hardState');
}

function newsIn(state: MemberState, { entries }: Append): readonly Entry[] {
  const offered = entries.map((entry) => entry.term);
  const local = entries.map((entry) => state.log.termAt(entry.index));
  return entries.slice(state.config.rules.firstToWrite(offered, local));
}

function reply(state: MemberState, message: Append, matchIndex: number): void {
  send(state, { to: message.from }, { kind: 'appendReply', matchIndex }, 'log');
}

/** The hint is the newest entry here which is not of a later term than the leader's: it skips whole terms at once. */
function refuse(state: MemberState, message: Append): void {
  const hint = state.log.newestAtMost(message.prevIndex, message.prevTerm);
  const body = {
    kind: 'appendRefusal',
    refusedIndex: message.prevIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  } as const;
  send(state, { to: message.from }, body, 'hardState');
}
