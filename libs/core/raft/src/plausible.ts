/**
 * What an honest member never says: refused where messages come in, and counted. A term is for ever once it is durable,
 * so a wrong one must not get that far; what a leader believes of its followers must be something that it sent.
 */
import { tryDecodeConfiguration } from './codec/configuration-codec.js';
import { configurationFault } from './membership/configuration.js';
import type { MemberState } from './member-state.js';
import {
  isFromLeader,
  type Append,
  type HeartbeatReply,
  type Message,
  type SnapshotChunk,
} from './messages.js';
import { type Entry, entryKinds } from './types.js';

/** A term is one election: a member that missed so many has missed days of them without a pause. */
export const TERM_LEAP_MAX = 2 ** 20;
/** A snapshot may leap over what is here, but not over more than was ever written. */
const INDEX_LEAP_MAX = 2 ** 40;

export function isPlausible(state: MemberState, message: Message): boolean {
  if (message.term > state.term + TERM_LEAP_MAX) return false;
  if (isFromLeader(message) && leadsThisTermItself(state, message)) return false;
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return message.lastTerm <= message.term;
    case 'append':
      return areTermsInOrder(message) && message.entries.every(isEntryReadable);
    case 'snapshotChunk':
      return isChunkSayable(state, message);
    case 'heartbeatReply':
      return wasAsked(state, message);
    default:
      return true;
  }
}

/** Other entries are the state machine's to read. */
function isEntryReadable({ kind, data }: Entry): boolean {
  return kind !== entryKinds.configuration || tryDecodeConfiguration(data) !== null;
}

/** There is one leader per term. */
function leadsThisTermItself({ role, term, config }: MemberState, message: Message): boolean {
  return role.kind === 'leader' && message.term === term && message.from !== config.id;
}

function areTermsInOrder({ term, prevTerm, entries }: Append): boolean {
  let last = prevTerm;
  for (const entry of entries) {
    if (entry.term < last) return false;
    last = entry.term;
  }
  return last <= term;
}

function isChunkSayable(
  { log }: MemberState,
  { term, point, chunkIndex, chunkCount, configuration }: SnapshotChunk,
): boolean {
  const isInReach = point.index <= log.lastIndex + INDEX_LEAP_MAX;
  if ((chunkIndex === 0) !== (configuration !== null)) return false;
  if (configuration !== null && configurationFault(configuration) !== null) return false;
  return point.term <= term && chunkIndex < chunkCount && isInReach;
}

/** A round that is yet to come would be confirmed before anybody was asked. */
function wasAsked({ role, term }: MemberState, message: HeartbeatReply): boolean {
  return role.kind !== 'leader' || message.term !== term || message.readRound <= role.reads.round;
}
