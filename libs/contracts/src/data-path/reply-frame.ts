/**
 * From a shard to a gateway: answers, in any order. Header: the shard that serves and its hybrid time, which the gateway
 * merges into its own clock (docs/PROTOCOL.md 4.7.2). Rows come without the requests that they remember.
 */
import type { Row, ShardReply } from '@ringleader/paxos';
import {
  type ByteReader,
  MalformedBytesError,
  type ByteWriter,
  type HybridTime,
  type ShardOrdinal,
} from '@ringleader/primitives';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';
import { readVarints, readVisibleRow, writeVarints, writeVisibleRow } from './rows.js';

export interface ReplyFrameHeader {
  readonly servedBy: ShardOrdinal;
  readonly hybridTime: HybridTime;
}

export interface ReplyFrame extends ReplyFrameHeader {
  readonly kind: 'replies';
  readonly replies: readonly ShardReply[];
}

type ReplyOf<K extends ShardReply['kind']> = Extract<ShardReply, { readonly kind: K }>;

interface ReplyCodec<K extends ShardReply['kind']> {
  readonly code: number;
  write(writer: ByteWriter, reply: ReplyOf<K>): void;
  read(reader: ByteReader, token: number): ReplyOf<K>;
}

type AnyCodec = ReplyCodec<ShardReply['kind']>;

/** A reply that is nothing but its kind and token. */
function tokenOnly<K extends 'absent' | 'tooStale' | 'overloaded' | 'outcomeUnknown'>(
  kind: K,
  code: number,
): ReplyCodec<K> {
  return { code, write: () => undefined, read: (_reader, token) => ({ kind, token }) as ReplyOf<K> };
}

function readVisibleRows(reader: ByteReader): Row[] {
  const count = reader.count();
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) rows.push(readVisibleRow(reader));
  return rows;
}

const codecs: { readonly [K in ShardReply['kind']]: ReplyCodec<K> } = {
  written: {
    code: 1,
    write(writer, reply) {
      writer.varint(reply.revision);
      writer.varint(reply.version);
      writer.boolean(reply.created);
      writer.float64(reply.createdAt);
      writer.float64(reply.modifiedAt);
    },
    read: (reader, token) => ({
      kind: 'written',
      token,
      revision: reader.varint(),
      version: reader.varint(),
      created: reader.boolean(),
      createdAt: reader.instant(),
      modifiedAt: reader.instant(),
    }),
  },
  absent: tokenOnly('absent', 2),
  conditionFailed: {
    code: 3,
    write(writer, reply) {
      writer.varint(reply.revision);
      writer.varint(reply.version);
    },
    read: (reader, token) => ({
      kind: 'conditionFailed',
      token,
      revision: reader.varint(),
      version: reader.varint(),
    }),
  },
  row: {
    code: 4,
    write(writer, reply) {
      writer.boolean(reply.row !== null);
      if (reply.row !== null) writeVisibleRow(writer, reply.row);
      writer.optionalFloat64(reply.stalenessMs);
    },
    read: (reader, token) => ({
      kind: 'row',
      token,
      row: reader.boolean() ? readVisibleRow(reader) : null,
      stalenessMs: reader.optionalFloat64(),
    }),
  },
  rows: {
    code: 5,
    write(writer, reply) {
      writer.varint(reply.rows.length);
      for (const row of reply.rows) writeVisibleRow(writer, row);
      writer.boolean(reply.more);
      writeVarints(writer, reply.notLed);
    },
    read: (reader, token) => ({
      kind: 'rows',
      token,
      rows: readVisibleRows(reader),
      more: reader.boolean(),
      notLed: readVarints(reader),
    }),
  },
  notLeader: {
    code: 6,
    write(writer, reply) {
      writer.varint(reply.ballot);
      writer.varint(reply.leader);
      writer.varint(reply.epoch);
    },
    read: (reader, token) => ({
      kind: 'notLeader',
      token,
      ballot: reader.varint(),
      leader: reader.varint(),
      epoch: reader.varint(),
    }),
  },
  tooStale: tokenOnly('tooStale', 7),
  overloaded: tokenOnly('overloaded', 8),
  outcomeUnknown: tokenOnly('outcomeUnknown', 9),
};

const codecsByKind = new Map<string, AnyCodec>(Object.entries(codecs) as [string, AnyCodec][]);
const codecsByCode = new Map([...codecsByKind.values()].map((codec) => [codec.code, codec]));

export function startReplyFrame(writer: ByteWriter, header: ReplyFrameHeader): void {
  writeFrameStart(writer, 'replies');
  writer.varint(header.servedBy);
  writer.float64(header.hybridTime);
}

/** `token` is the gateway's, not the one that the reply carries inside the shard. */
export function appendReply(writer: ByteWriter, token: number, reply: ShardReply): void {
  const codec = codecsByKind.get(reply.kind) as AnyCodec;
  writer.uint8(codec.code);
  writer.varint(token);
  codec.write(writer, reply);
}

export function decodeReplyFrame(bytes: Uint8Array): ReplyFrame | MalformedFrame {
  return decodeFrame(bytes, readReplyFrame);
}

function readReplyFrame(reader: ByteReader): ReplyFrame {
  expectFrameKind(reader, 'replies');
  const servedBy = reader.varint();
  const hybridTime = reader.instant();
  const replies: ShardReply[] = [];
  while (!reader.atEnd) {
    const codec = codecsByCode.get(reader.uint8());
    if (codec === undefined) throw new MalformedBytesError('unknown reply code');
    const token = reader.varint();
    replies.push(codec.read(reader, token));
  }
  return { kind: 'replies', servedBy, hybridTime, replies };
}
