/**
 * From one shard to another: all messages that wait for the destination at the end of an event-loop turn.
 * Header: the sender's ordinal and hybrid time.
 */
import type { ShardMessage } from '@ringleader/paxos';
import {
  type ByteReader,
  MalformedBytesError,
  type ByteWriter,
  type HybridTime,
  type ShardOrdinal,
} from '@ringleader/primitives';
import { copyCodecs } from './copy-messages.js';
import { electionCodecs } from './election-messages.js';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';
import type { MessageCodec, MessageCodecs } from './message-codec.js';
import { pairCodecs } from './pair-messages.js';
import { replicationCodecs } from './replication-messages.js';

export interface PeerFrameHeader {
  readonly from: ShardOrdinal;
  readonly hybridTime: HybridTime;
}

export interface PeerFrame extends PeerFrameHeader {
  readonly kind: 'peer';
  readonly messages: readonly ShardMessage[];
}

const codecs: MessageCodecs<ShardMessage['kind']> = {
  ...electionCodecs,
  ...pairCodecs,
  ...replicationCodecs,
  ...copyCodecs,
};

type AnyCodec = MessageCodec<ShardMessage['kind']>;

const codecsByKind = new Map<string, AnyCodec>(Object.entries(codecs) as [string, AnyCodec][]);
const codecsByCode: readonly (AnyCodec | undefined)[] = indexByCode([...codecsByKind.values()]);

function indexByCode(all: readonly AnyCodec[]): (AnyCodec | undefined)[] {
  const table: (AnyCodec | undefined)[] = Array.from({ length: 256 });
  for (const codec of all) table[codec.code] = codec;
  return table;
}

export function startPeerFrame(writer: ByteWriter, header: PeerFrameHeader): void {
  writeFrameStart(writer, 'peer');
  writer.varint(header.from);
  writer.float64(header.hybridTime);
}

export function appendPeerMessage(writer: ByteWriter, message: ShardMessage): void {
  const codec = codecsByKind.get(message.kind) as AnyCodec;
  writer.uint8(codec.code);
  codec.write(writer, message);
}

export function decodePeerFrame(bytes: Uint8Array): PeerFrame | MalformedFrame {
  return decodeFrame(bytes, readPeerFrame);
}

function readPeerFrame(reader: ByteReader): PeerFrame {
  expectFrameKind(reader, 'peer');
  const from = reader.varint();
  const hybridTime = reader.instant();
  const messages: ShardMessage[] = [];
  while (!reader.atEnd) {
    const codec = codecsByCode[reader.uint8()];
    if (codec === undefined) throw new MalformedBytesError('unknown message code');
    messages.push(codec.read(reader));
  }
  return { kind: 'peer', from, hybridTime, messages };
}
