/**
 * From one shard to another: all messages that wait for the destination at the end of an event-loop turn.
 * Header: the sender's ordinal and hybrid time.
 */
import type { ShardMessage } from '@ringleader/paxos';
import {
  type ByteReader,
  type ByteWriter,
  fields,
  type HybridTime,
  instant,
  type ShardOrdinal,
  variants,
  varint,
} from '@ringleader/primitives';
import { copyMessages } from './copy-messages.js';
import { electionMessages } from './election-messages.js';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';
import { pairMessages } from './pair-messages.js';
import { replicationMessages } from './replication-messages.js';
import { verificationMessages } from './verification-messages.js';

export interface PeerFrameHeader {
  readonly from: ShardOrdinal;
  readonly hybridTime: HybridTime;
}

export interface PeerFrame extends PeerFrameHeader {
  readonly kind: 'peer';
  readonly messages: readonly ShardMessage[];
}

const headerCodec = fields<PeerFrameHeader>({ from: varint, hybridTime: instant });

const messageCodec = variants<ShardMessage>('a message', {
  ...electionMessages,
  ...pairMessages,
  ...replicationMessages,
  ...copyMessages,
  ...verificationMessages,
});

export function startPeerFrame(writer: ByteWriter, header: PeerFrameHeader): void {
  writeFrameStart(writer, 'peer');
  headerCodec.write(writer, header);
}

export function appendPeerMessage(writer: ByteWriter, message: ShardMessage): void {
  messageCodec.write(writer, message);
}

export function decodePeerFrame(bytes: Uint8Array): PeerFrame | MalformedFrame {
  return decodeFrame(bytes, readPeerFrame);
}

function readPeerFrame(reader: ByteReader): PeerFrame {
  expectFrameKind(reader, 'peer');
  const { from, hybridTime } = headerCodec.read(reader);
  const messages: ShardMessage[] = [];
  while (!reader.atEnd) messages.push(messageCodec.read(reader));
  return { kind: 'peer', from, hybridTime, messages };
}
