/** How one kind of peer message is written and read; the groups of kinds are in the files beside this one. */
import type { ByteReader, ByteWriter } from '@ringleader/primitives';
import type { LeaseEcho, LeaseStamp, ReplicaState, ShardMessage } from '@ringleader/paxos';
import { readPosition, writePosition } from './rows.js';

export type MessageOf<K extends ShardMessage['kind']> = Extract<ShardMessage, { readonly kind: K }>;

export interface MessageCodec<K extends ShardMessage['kind']> {
  /** The kind's byte in a frame: never given to another kind. */
  readonly code: number;
  write(writer: ByteWriter, message: MessageOf<K>): void;
  read(reader: ByteReader): MessageOf<K>;
}

export type MessageCodecs<K extends ShardMessage['kind']> = { readonly [Kind in K]: MessageCodec<Kind> };

interface PartitionHeader {
  readonly partition: number;
  readonly epoch: number;
  readonly ballot: number;
}

export function writeHeader(writer: ByteWriter, header: PartitionHeader): void {
  writer.varint(header.partition);
  writer.varint(header.epoch);
  writer.varint(header.ballot);
}

export function writeReplicaState(writer: ByteWriter, state: ReplicaState): void {
  writePosition(writer, state.position);
  writer.varint(state.commit);
  writer.varint(state.purgedTo);
}

export function readReplicaState(reader: ByteReader): ReplicaState {
  return { position: readPosition(reader), commit: reader.varint(), purgedTo: reader.varint() };
}

export function writeLeaseStamp(writer: ByteWriter, lease: LeaseStamp): void {
  writer.float64(lease.sentAt);
}

export function readLeaseStamp(reader: ByteReader): LeaseStamp {
  return { sentAt: reader.float64() };
}

export function writeLeaseEcho(writer: ByteWriter, lease: LeaseEcho): void {
  writer.varint(lease.incarnation);
  writer.varint(lease.span);
  writer.float64(lease.sentAt);
}

export function readLeaseEcho(reader: ByteReader): LeaseEcho {
  return { incarnation: reader.varint(), span: reader.varint(), sentAt: reader.float64() };
}

type HeaderOnlyKind = 'prepare' | 'released' | 'releaseSeen' | 'stand';

/** A message that is nothing but its kind and header. */
export function headerOnly<K extends HeaderOnlyKind>(kind: K, code: number): MessageCodec<K> {
  return {
    code,
    write: writeHeader,
    read: (reader) =>
      ({
        kind,
        partition: reader.varint(),
        epoch: reader.varint(),
        ballot: reader.varint(),
      }) as MessageOf<K>,
  };
}
