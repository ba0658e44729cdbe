/** One message as bytes: what it is, who sends it to whom in which term, and its fields in the order of messages.ts. */
import { type ByteReader, type ByteWriter, MalformedBytesError, unreachable } from '@ringleader/primitives';
import type { Message, MessageBody } from '../messages.js';
import { type Entry, type EntryKind, entryKinds } from '../types.js';

/** Positions are part of the format: new kinds go to the end. */
const kinds = [
  'preVote',
  'preVoteReply',
  'vote',
  'voteReply',
  'append',
  'appendReply',
  'appendRefusal',
  'heartbeat',
  'heartbeatReply',
  'snapshotChunk',
  'snapshotReply',
  'propose',
  'proposeRefusal',
  'readRequest',
  'readReply',
  'timeoutNow',
] as const satisfies readonly Message['kind'][];

export function writeMessage(writer: ByteWriter, message: Message): void {
  writer.varint(kinds.indexOf(message.kind));
  writer.varint(message.from);
  writer.varint(message.to);
  writer.varint(message.term);
  writeBody(writer, message);
}

export function readMessage(reader: ByteReader): Message {
  const kind = kinds[reader.varint()];
  if (kind === undefined) throw new MalformedBytesError('a message is of an unknown kind');
  const from = reader.varint();
  const to = reader.varint();
  const term = reader.varint();
  return { ...readBody(reader, kind), from, to, term };
}

function writeBody(writer: ByteWriter, message: Message): void {
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return writeCandidacy(writer, message);
    case 'preVoteReply':
    case 'voteReply':
      writer.boolean(message.granted);
      return;
    case 'append':
      return writeAppend(writer, message);
    case 'appendReply':
      writer.varint(message.matchIndex);
      return;
    case 'appendRefusal':
      return writeIntegers(writer, [message.refusedIndex, message.hintIndex, message.hintTerm]);
    case 'heartbeat':
      return writeIntegers(writer, [message.commit, message.readRound]);
    case 'heartbeatReply':
      writer.varint(message.readRound);
      return;
    case 'snapshotChunk':
      return writeChunk(writer, message);
    case 'snapshotReply':
      return writeIntegers(writer, snapshotReplyFields(message));
    case 'propose':
    case 'proposeRefusal':
      return writeProposals(writer, message);
    case 'readRequest':
      return writeIntegers(writer, [message.session, message.context]);
    case 'readReply':
      return writeIntegers(writer, [message.session, message.context, message.index]);
    case 'timeoutNow':
      return;
    default:
      return unreachable(message, 'writeBody');
  }
}

function readBody(reader: ByteReader, kind: Message['kind']): MessageBody {
  const integer = (): number => reader.varint();
  switch (kind) {
    case 'preVote':
      return { kind, lastIndex: integer(), lastTerm: integer() };
    case 'vote':
      return { kind, lastIndex: integer(), lastTerm: integer(), transfer: reader.boolean() };
    case 'preVoteReply':
    case 'voteReply':
      return { kind, granted: reader.boolean() };
    case 'append':
      return readAppend(reader);
    case 'appendReply':
      return { kind, matchIndex: integer() };
    case 'appendRefusal':
      return { kind, refusedIndex: integer(), hintIndex: integer(), hintTerm: integer() };
    case 'heartbeat':
      return { kind, commit: integer(), readRound: integer() };
    case 'heartbeatReply':
      return { kind, readRound: integer() };
    case 'snapshotChunk':
      return readChunk(reader);
    case 'snapshotReply':
      return {
        kind,
        point: { index: integer(), term: integer() },
        chunkIndex: integer(),
        nextChunk: integer(),
      };
    case 'propose':
      return readPropose(reader);
    case 'proposeRefusal':
      return { kind, session: integer(), ids: reader.list(integer) };
    case 'readRequest':
      return { kind, session: integer(), context: integer() };
    case 'readReply':
      return { kind, session: integer(), context: integer(), index: integer() };
    case 'timeoutNow':
      return { kind };
    default:
      return unreachable(kind, 'readBody');
  }
}

type OfKind<K extends Message['kind']> = Extract<Message, { kind: K }>;
type BodyOfKind<K extends Message['kind']> = Extract<MessageBody, { kind: K }>;

function writeIntegers(writer: ByteWriter, values: readonly number[]): void {
  for (const value of values) writer.varint(value);
}

function writeCandidacy(writer: ByteWriter, message: OfKind<'preVote' | 'vote'>): void {
  writeIntegers(writer, [message.lastIndex, message.lastTerm]);
  if (message.kind === 'vote') writer.boolean(message.transfer);
}

/** Entries are consecutive, so their indexes follow from the first one's. */
function writeAppend(writer: ByteWriter, message: OfKind<'append'>): void {
  writeIntegers(writer, [message.prevIndex, message.prevTerm, message.commit, message.entries.length]);
  for (const entry of message.entries) {
    writeIntegers(writer, [entry.term, entry.kind]);
    writer.bytes(entry.data);
  }
}

function readAppend(reader: ByteReader): BodyOfKind<'append'> {
  const prevIndex = reader.varint();
  const prevTerm = reader.varint();
  const commit = reader.varint();
  let index = prevIndex;
  const entries = reader.list((): Entry => {
    index += 1;
    return { index, term: reader.varint(), kind: readEntryKind(reader), data: reader.copiedBytes() };
  });
  return { kind: 'append', prevIndex, prevTerm, entries, commit };
}

function readEntryKind(reader: ByteReader): EntryKind {
  const kind = reader.varint();
  if (kind === entryKinds.noop || kind === entryKinds.command) return kind;
  throw new MalformedBytesError('an entry is of an unknown kind');
}

function writeChunk(writer: ByteWriter, message: OfKind<'snapshotChunk'>): void {
  writeIntegers(writer, [message.point.index, message.point.term, message.chunkIndex, message.chunkCount]);
  writer.bytes(message.data);
}

function snapshotReplyFields({ point, chunkIndex, nextChunk }: OfKind<'snapshotReply'>): number[] {
  return [point.index, point.term, chunkIndex, nextChunk];
}

function readChunk(reader: ByteReader): BodyOfKind<'snapshotChunk'> {
  const point = { index: reader.varint(), term: reader.varint() };
  const chunkIndex = reader.varint();
  const chunkCount = reader.varint();
  return { kind: 'snapshotChunk', point, chunkIndex, chunkCount, data: reader.copiedBytes() };
}

function writeProposals(writer: ByteWriter, message: OfKind<'propose' | 'proposeRefusal'>): void {
  writer.varint(message.session);
  if (message.kind === 'proposeRefusal') {
    writer.varint(message.ids.length);
    writeIntegers(writer, message.ids);
    return;
  }
  writer.varint(message.proposals.length);
  for (const proposal of message.proposals) {
    writer.varint(proposal.id);
    writer.bytes(proposal.data);
  }
}

function readPropose(reader: ByteReader): BodyOfKind<'propose'> {
  const session = reader.varint();
  const proposals = reader.list(() => ({ id: reader.varint(), data: reader.copiedBytes() }));
  return { kind: 'propose', session, proposals };
}
