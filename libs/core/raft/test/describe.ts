/** Messages, entries and events as short lines: index/term for a place in the log. */
import type {
  Configuration,
  Entry,
  MemberProgress,
  Message,
  RaftEvent,
  RaftMemberStatus,
  Seated,
} from '../src/index.js';
import { decodeConfiguration, entryKinds } from '../src/index.js';

const decoder = new TextDecoder();

export function describeEntry({ index, term, kind, data }: Entry): string {
  if (kind === entryKinds.configuration) {
    return `${String(index)}/${String(term)}=${describeConfiguration(decodeConfiguration(data))}`;
  }
  const content = kind === entryKinds.noop ? '' : `=${decoder.decode(data)}`;
  return `${String(index)}/${String(term)}${content}`;
}

/** {voters} or {voters<old voters} while joint, then what else there is: learners, and in their place whom they replace. */
export function describeConfiguration({ voters, outgoing, learners, removed }: Configuration): string {
  const ids = (members: readonly Seated[]): string => members.map(({ id }) => String(id)).join(',');
  const old = outgoing.length > 0 ? `<${ids(outgoing)}` : '';
  const learning = learners.map(
    ({ id, replaces }) => ` learner ${String(id)}${replaces > 0 ? ` for ${String(replaces)}` : ''}`,
  );
  const gone = removed.length > 0 ? ` removed ${removed.map(String).join(',')}` : '';
  return `{${ids(voters)}${old}${learning.join('')}${gone}}`;
}

export function describeEntries(entries: readonly Entry[]): string {
  return `[${entries.map(describeEntry).join(' ')}]`;
}

export function describeMessage(message: Message): string {
  const { from, to, term } = message;
  return `${String(from)}>${String(to)} ${message.kind} term=${String(term)}${describeBody(message)}`;
}

function describeBody(message: Message): string {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return ` last=${String(message.lastIndex)}/${String(message.lastTerm)}${isTransfer(message) ? ' transfer' : ''}`;
    case 'preVoteReply':
    case 'voteReply':
      return message.granted ? ' granted' : ' refused';
    case 'append':
      return ` prev=${String(message.prevIndex)}/${String(message.prevTerm)} ${describeEntries(message.entries)} commit=${String(message.commit)}`;
    case 'appendReply':
      return ` match=${String(message.matchIndex)}`;
    case 'appendRefusal':
      return ` refused=${String(message.refusedIndex)} hint=${String(message.hintIndex)}/${String(message.hintTerm)}`;
    case 'heartbeat':
      return ` commit=${String(message.commit)} round=${String(message.readRound)}`;
    case 'heartbeatReply':
      return ` round=${String(message.readRound)}`;
    default:
      return describeRest(message);
  }
}

function describeRest(message: Message): string {
  switch (message.kind) {
    case 'snapshotChunk':
      return ` ${String(message.point.index)}/${String(message.point.term)} chunk=${String(message.chunkIndex)} of ${String(message.chunkCount)}`;
    case 'snapshotReply':
      return ` ${String(message.point.index)}/${String(message.point.term)} chunk=${String(message.chunkIndex)} next=${String(message.nextChunk)}`;
    case 'propose':
      return ` ${message.proposals.map(({ id, data }) => `#${String(id)}=${decoder.decode(data)}`).join(' ')}`;
    case 'proposeRefusal':
      return ` ${message.ids.map((id) => `#${String(id)}`).join(' ')}`;
    case 'readRequest':
      return ` context=${String(message.context)}`;
    case 'removed':
      return ` index=${String(message.index)}`;
    case 'readReply':
      return ` context=${String(message.context)} index=${String(message.index)}`;
    default:
      return '';
  }
}

function isTransfer(message: Message): boolean {
  return message.kind === 'vote' && message.transfer;
}

export function describeEvent(event: RaftEvent): string {
  switch (event.kind) {
    case 'leaderChanged':
      return event.leader === 0
        ? `knows no leader of term ${String(event.term)}`
        : `takes ${String(event.leader)} for the leader of term ${String(event.term)}`;
    case 'candidacy':
      return `seeks ${event.preVote ? 'pre-votes' : 'votes'} for term ${String(event.term)}`;
    case 'steppedDown':
      return `steps down from term ${String(event.term)}: ${event.reason}`;
    case 'diskStill':
      return `hands over: its disk stands still at ${String(event.written)}, ${String(event.commit)} is committed`;
    case 'configurationChanged':
      return `is in ${describeConfiguration(event.configuration)} since ${String(event.index)}`;
    case 'removed':
      return `ends: removed since ${String(event.index)}`;
    case 'snapshotSending':
      return `sends ${String(event.to)} a snapshot up to ${String(event.index)}`;
    case 'implausible':
      return `refuses a ${event.what} of ${String(event.from)}`;
    case 'snapshotInstalled':
      return `installs a snapshot up to ${String(event.index)}/${String(event.term)}`;
  }
}

export function describeStatus(status: RaftMemberStatus): string {
  const { id, role, term, leader, firstIndex, lastIndex, commitIndex, appliedIndex } = status;
  return `${String(id)} ${role} term=${String(term)} leader=${String(leader)} log=${String(firstIndex)}..${String(lastIndex)} commit=${String(commitIndex)} applied=${String(appliedIndex)}`;
}

export function describeProgress({ id, role, match, next, state }: MemberProgress): string {
  return `${String(id)} ${role} match=${String(match)} next=${String(next)} ${state}`;
}
