/**
 * From a gateway to a shard: requests. Header: the gateway's id (answers go to its reply subject) and its hybrid time.
 *
 * `token` names a request within its sender: here the gateway's own number, which comes back in the reply. In place of a
 * deadline on somebody's clock a request carries how much time remained when the frame was sent.
 */
import type {
  Condition,
  KeyRange,
  ReadRequest,
  ScanRequest,
  ShardRequest,
  WriteRequest,
} from '@ringleader/paxos';
import {
  boolean,
  bytes,
  type ByteReader,
  type ByteWriter,
  type Codec,
  constant,
  fields,
  type HybridTime,
  instant,
  listOf,
  MalformedBytesError,
  optional,
  string,
  variants,
  varint,
} from '@ringleader/primitives';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';
import { contentTypeCodec } from './rows.js';

type Framed<T> = T extends ShardRequest ? Omit<T, 'deadline'> & { readonly remainingMs: number } : never;

export type FramedRequest = Framed<ShardRequest>;
type FramedWrite = Framed<WriteRequest>;
type FramedRead = Framed<ReadRequest>;
type FramedScan = Framed<ScanRequest>;

export interface RequestFrameHeader {
  readonly gatewayId: string;
  readonly hybridTime: HybridTime;
}

export interface RequestFrame extends RequestFrameHeader {
  readonly kind: 'requests';
  readonly requests: readonly FramedRequest[];
}

type Operation = FramedWrite['operation'];
type OperationOf<K extends Operation['kind']> = Extract<Operation, { readonly kind: K }>;
type WriteOf<K extends Operation['kind']> = FramedWrite & { readonly operation: OperationOf<K> };

const headerCodec = fields<RequestFrameHeader>({ gatewayId: string, hybridTime: instant });

const remainingMs: Codec<number> = {
  write: (writer, value) => writer.varint(Math.max(0, Math.floor(value))),
  read: varint.read,
};

const conditions = listOf(
  variants<Condition>('a condition', {
    ifRevision: { code: 1, fields: { revision: varint } },
    ifVersion: { code: 2, fields: { version: varint } },
    ifAbsent: { code: 3, fields: {} },
    ifPresent: { code: 4, fields: {} },
  }),
);

const consistency = variants<ReadRequest['consistency']>('a consistency', {
  linearizable: { code: 0, fields: {} },
  stale: { code: 1, fields: { maxStalenessMs: optional(varint) } },
});

const asked = { token: varint, remainingMs };
const write = {
  kind: constant('write' as const),
  ...asked,
  partition: varint,
  epoch: varint,
  ballot: varint,
  requestId: string,
  origin: instant,
};

const putCodec = fields<WriteOf<'put'>>({
  ...write,
  operation: fields<OperationOf<'put'>>({
    kind: constant('put'),
    key: string,
    conditions,
    value: bytes,
    contentType: contentTypeCodec,
    expiresAt: optional(instant),
  }),
});

const deleteCodec = fields<WriteOf<'delete'>>({
  ...write,
  operation: fields<OperationOf<'delete'>>({ kind: constant('delete'), key: string, conditions }),
});

const readCodec = fields<FramedRead>({
  kind: constant('read'),
  ...asked,
  partition: varint,
  epoch: varint,
  key: string,
  consistency,
});

const scanCodec = fields<FramedScan>({
  kind: constant('scan'),
  ...asked,
  partitions: listOf(varint),
  range: fields<KeyRange>({ start: string, end: optional(string) }),
  reverse: boolean,
  keysOnly: boolean,
  limitRows: varint,
  limitBytes: varint,
  consistency,
});

const PUT = 1;
const DELETE = 2;
const READ = 3;
const SCAN = 4;

export function startRequestFrame(writer: ByteWriter, header: RequestFrameHeader): void {
  writeFrameStart(writer, 'requests');
  headerCodec.write(writer, header);
}

/** By hand: there are two codes for one kind. */
export function appendRequest(writer: ByteWriter, request: FramedRequest): void {
  if (request.kind === 'read') readCodec.write(writer.uint8(READ), request);
  else if (request.kind === 'scan') scanCodec.write(writer.uint8(SCAN), request);
  else if (isPut(request)) putCodec.write(writer.uint8(PUT), request);
  else deleteCodec.write(writer.uint8(DELETE), request as WriteOf<'delete'>);
}

function isPut(request: FramedWrite): request is WriteOf<'put'> {
  return request.operation.kind === 'put';
}

export function decodeRequestFrame(bytes: Uint8Array): RequestFrame | MalformedFrame {
  return decodeFrame(bytes, readRequestFrame);
}

function readRequestFrame(reader: ByteReader): RequestFrame {
  expectFrameKind(reader, 'requests');
  const { gatewayId, hybridTime } = headerCodec.read(reader);
  const requests: FramedRequest[] = [];
  while (!reader.atEnd) requests.push(readRequest(reader));
  return { kind: 'requests', gatewayId, hybridTime, requests };
}

function readRequest(reader: ByteReader): FramedRequest {
  switch (reader.uint8()) {
    case PUT:
      return putCodec.read(reader);
    case DELETE:
      return deleteCodec.read(reader);
    case READ:
      return readCodec.read(reader);
    case SCAN:
      return scanCodec.read(reader);
    default:
      throw new MalformedBytesError('unknown request code');
  }
}
