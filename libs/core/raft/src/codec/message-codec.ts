/** One message as bytes: what it is, who sends it to whom in which term, and its fields. */
import {
  boolean,
  bytes,
  type Codec,
  copiedBytes,
  fields,
  listOf,
  oneOf,
  optional,
  varint,
  variants,
} from '@ringleader/primitives';
import type { Append, HeartbeatReply, Message } from '../messages.js';
import {
  type Chunk,
  chunkBytes,
  type Entry,
  entryKinds,
  type Proposal,
  type SnapshotPoint,
} from '../types.js';
import { configurationCodec } from './configuration-codec.js';

const envelope = { from: varint, to: varint, term: varint };
const candidacy = { ...envelope, lastIndex: varint, lastTerm: varint };
const point = fields<SnapshotPoint>({ index: varint, term: varint });
const proposals = listOf(fields<Proposal>({ id: varint, data: copiedBytes }));

const appendHead = fields<Omit<Append, 'kind' | 'entries'>>({
  ...envelope,
  prevIndex: varint,
  prevTerm: varint,
  commit: varint,
});
const chunk: Codec<Chunk> = {
  write: (writer, value) => {
    copiedBytes.write(writer, chunkBytes(value));
  },
  read: (reader) => copiedBytes.read(reader),
};
const entryKind = oneOf([entryKinds.noop, entryKinds.command, entryKinds.configuration]);

/** By hand: entries are consecutive, so their indexes follow from the first one's and are not written. */
const append: Codec<Append> = {
  write(writer, message) {
    appendHead.write(writer, message);
    writer.varint(message.entries.length);
    for (const entry of message.entries) {
      writer.varint(entry.term);
      entryKind.write(writer, entry.kind);
      bytes.write(writer, entry.data);
    }
  },
  read(reader) {
    const head = appendHead.read(reader);
    const count = reader.count();
    const entries: Entry[] = [];
    for (let index = head.prevIndex + 1; entries.length < count; index++) {
      entries.push({
        index,
        term: reader.varint(),
        kind: entryKind.read(reader),
        data: reader.copiedBytes(),
      });
    }
    return { kind: 'append', ...head, entries };
  },
};

/** Version 0.1.0 knows no full disks: it gets answers to heartbeats as ever, but from who has no room. */
type PlainReply = Omit<HeartbeatReply, 'isDiskFull'>;
type SentMessage =
  Exclude<Message, HeartbeatReply> | PlainReply | (Omit<PlainReply, 'kind'> & { readonly kind: 'fullReply' });

const sentCodec = variants<SentMessage>('a message', {
  preVote: { code: 0, fields: candidacy },
  preVoteReply: { code: 1, fields: { ...envelope, granted: boolean } },
  vote: { code: 2, fields: { ...candidacy, transfer: boolean } },
  voteReply: { code: 3, fields: { ...envelope, granted: boolean } },
  append: { code: 4, codec: append },
  appendReply: { code: 5, fields: { ...envelope, matchIndex: varint } },
  appendRefusal: {
    code: 6,
    fields: { ...envelope, refusedIndex: varint, hintIndex: varint, hintTerm: varint },
  },
  heartbeat: { code: 7, fields: { ...envelope, commit: varint, readRound: varint } },
  heartbeatReply: { code: 8, fields: { ...envelope, readRound: varint } },
  fullReply: { code: 18, fields: { ...envelope, readRound: varint } },
  /** 9 was a chunk without a configuration. */
  snapshotChunk: {
    code: 16,
    fields: {
      ...envelope,
      point,
      chunkIndex: varint,
      chunkCount: varint,
      configuration: optional(configurationCodec),
      data: chunk,
    },
  },
  snapshotReply: { code: 10, fields: { ...envelope, point, chunkIndex: varint, nextChunk: varint } },
  propose: { code: 11, fields: { ...envelope, session: varint, proposals } },
  proposeRefusal: { code: 12, fields: { ...envelope, session: varint, ids: listOf(varint) } },
  readRequest: { code: 13, fields: { ...envelope, session: varint, context: varint } },
  readReply: { code: 14, fields: { ...envelope, session: varint, context: varint, index: varint } },
  timeoutNow: { code: 15, fields: envelope },
  removed: { code: 17, fields: { ...envelope, index: varint } },
});

export const messageCodec: Codec<Message> = {
  write(writer, message) {
    const isFull = message.kind === 'heartbeatReply' && message.isDiskFull;
    sentCodec.write(writer, isFull ? { ...message, kind: 'fullReply' } : message);
  },
  read(reader) {
    const message = sentCodec.read(reader);
    if (message.kind === 'heartbeatReply') return { ...message, isDiskFull: false };
    return message.kind === 'fullReply' ? { ...message, kind: 'heartbeatReply', isDiskFull: true } : message;
  },
};
