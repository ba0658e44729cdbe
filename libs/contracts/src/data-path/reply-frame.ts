/**
 * From a shard to a gateway: answers, in any order. Header: the shard that serves and its hybrid time, which the gateway
 * merges into its own clock (docs/PROTOCOL.md 4.7.2). Rows come without the requests that they remember.
 */
import type { ShardReply } from '@ringleader/paxos';
import {
  boolean,
  type ByteReader,
  type ByteWriter,
  type Codec,
  fields,
  float64,
  type HybridTime,
  instant,
  listOf,
  optional,
  type ShardOrdinal,
  variants,
  varint,
} from '@ringleader/primitives';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';
import { visibleRowCodec } from './rows.js';

export interface ReplyFrameHeader {
  readonly servedBy: ShardOrdinal;
  readonly hybridTime: HybridTime;
}

export interface ReplyFrame extends ReplyFrameHeader {
  readonly kind: 'replies';
  readonly replies: readonly ShardReply[];
}

const headerCodec = fields<ReplyFrameHeader>({ servedBy: varint, hybridTime: instant });

/** What the reply that is being written is called by its receiver. */
let tokenOfReceiver = 0;

const named = {
  token: {
    write: (writer, _own) => writer.varint(tokenOfReceiver),
    read: varint.read,
  } satisfies Codec<number>,
};

const replyCodec = variants<ShardReply>('a reply', {
  written: {
    code: 1,
    fields: {
      ...named,
      revision: varint,
      version: varint,
      created: boolean,
      createdAt: instant,
      modifiedAt: instant,
    },
  },
  absent: { code: 2, fields: named },
  conditionFailed: { code: 3, fields: { ...named, revision: varint, version: varint } },
  row: { code: 4, fields: { ...named, row: optional(visibleRowCodec), stalenessMs: optional(float64) } },
  rows: {
    code: 5,
    fields: { ...named, rows: listOf(visibleRowCodec), more: boolean, notLed: listOf(varint) },
  },
  notLeader: { code: 6, fields: { ...named, ballot: varint, leader: varint, epoch: varint } },
  tooStale: { code: 7, fields: named },
  overloaded: { code: 8, fields: named },
  outcomeUnknown: { code: 9, fields: named },
});

export function startReplyFrame(writer: ByteWriter, header: ReplyFrameHeader): void {
  writeFrameStart(writer, 'replies');
  headerCodec.write(writer, header);
}

/** `token` is the gateway's, not the one that the reply carries inside the shard. */
export function appendReply(writer: ByteWriter, token: number, reply: ShardReply): void {
  tokenOfReceiver = token;
  replyCodec.write(writer, reply);
}

export function decodeReplyFrame(bytes: Uint8Array): ReplyFrame | MalformedFrame {
  return decodeFrame(bytes, readReplyFrame);
}

function readReplyFrame(reader: ByteReader): ReplyFrame {
  expectFrameKind(reader, 'replies');
  const { servedBy, hybridTime } = headerCodec.read(reader);
  const replies: ShardReply[] = [];
  while (!reader.atEnd) replies.push(replyCodec.read(reader));
  return { kind: 'replies', servedBy, hybridTime, replies };
}
