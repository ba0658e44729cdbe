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
  type ByteReader,
  MalformedBytesError,
  type ByteWriter,
  type HybridTime,
} from '@ringleader/primitives';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';
import { readContentType, readVarints, writeContentType, writeVarints } from './rows.js';

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

const PUT = 1;
const DELETE = 2;
const READ = 3;
const SCAN = 4;

const CONDITION_CODES = { ifRevision: 1, ifVersion: 2, ifAbsent: 3, ifPresent: 4 } as const;

export function startRequestFrame(writer: ByteWriter, header: RequestFrameHeader): void {
  writeFrameStart(writer, 'requests');
  writer.string(header.gatewayId);
  writer.float64(header.hybridTime);
}

export function appendRequest(writer: ByteWriter, request: FramedRequest): void {
  switch (request.kind) {
    case 'write':
      writeWrite(writer, request);
      return;
    case 'read':
      writeRead(writer, request);
      return;
    case 'scan':
      writeScan(writer, request);
  }
}

export function decodeRequestFrame(bytes: Uint8Array): RequestFrame | MalformedFrame {
  return decodeFrame(bytes, readRequestFrame);
}

function readRequestFrame(reader: ByteReader): RequestFrame {
  expectFrameKind(reader, 'requests');
  const gatewayId = reader.string();
  const hybridTime = reader.instant();
  const requests: FramedRequest[] = [];
  while (!reader.atEnd) requests.push(readRequest(reader));
  return { kind: 'requests', gatewayId, hybridTime, requests };
}

function readRequest(reader: ByteReader): FramedRequest {
  const code = reader.uint8();
  switch (code) {
    case PUT:
    case DELETE:
      return readWrite(reader, code);
    case READ:
      return readRead(reader);
    case SCAN:
      return readScan(reader);
    default:
      throw new MalformedBytesError('unknown request code');
  }
}

function writeWrite(writer: ByteWriter, request: FramedWrite): void {
  const operation = request.operation;
  writer.uint8(operation.kind === 'put' ? PUT : DELETE);
  writer.varint(request.token);
  writer.varint(Math.max(0, Math.floor(request.remainingMs)));
  writer.varint(request.partition);
  writer.varint(request.epoch);
  writer.varint(request.ballot);
  writer.string(request.requestId);
  writer.float64(request.origin);
  writer.string(operation.key);
  writeConditions(writer, operation.conditions);
  if (operation.kind === 'put') {
    writer.bytes(operation.value);
    writeContentType(writer, operation.contentType);
    writer.optionalFloat64(operation.expiresAt);
  }
}

function readWrite(reader: ByteReader, code: number): FramedWrite {
  return {
    kind: 'write',
    token: reader.varint(),
    remainingMs: reader.varint(),
    partition: reader.varint(),
    epoch: reader.varint(),
    ballot: reader.varint(),
    requestId: reader.string(),
    origin: reader.instant(),
    operation: readOperation(reader, code),
  };
}

function readOperation(reader: ByteReader, code: number): WriteRequest['operation'] {
  const key = reader.string();
  const conditions = readConditions(reader);
  if (code === DELETE) return { kind: 'delete', key, conditions };
  return {
    kind: 'put',
    key,
    conditions,
    value: reader.bytes(),
    contentType: readContentType(reader),
    expiresAt: reader.optionalInstant(),
  };
}

function writeConditions(writer: ByteWriter, conditions: readonly Condition[]): void {
  writer.uint8(conditions.length);
  for (const condition of conditions) {
    writer.uint8(CONDITION_CODES[condition.kind]);
    if (condition.kind === 'ifRevision') writer.varint(condition.revision);
    else if (condition.kind === 'ifVersion') writer.varint(condition.version);
  }
}

function readConditions(reader: ByteReader): Condition[] {
  const count = reader.uint8();
  const conditions: Condition[] = [];
  for (let i = 0; i < count; i++) conditions.push(readCondition(reader));
  return conditions;
}

function readCondition(reader: ByteReader): Condition {
  switch (reader.uint8()) {
    case CONDITION_CODES.ifRevision:
      return { kind: 'ifRevision', revision: reader.varint() };
    case CONDITION_CODES.ifVersion:
      return { kind: 'ifVersion', version: reader.varint() };
    case CONDITION_CODES.ifAbsent:
      return { kind: 'ifAbsent' };
    case CONDITION_CODES.ifPresent:
      return { kind: 'ifPresent' };
    default:
      throw new MalformedBytesError('unknown condition code');
  }
}

function writeRead(writer: ByteWriter, request: FramedRead): void {
  writer.uint8(READ);
  writer.varint(request.token);
  writer.varint(Math.max(0, Math.floor(request.remainingMs)));
  writer.varint(request.partition);
  writer.varint(request.epoch);
  writer.string(request.key);
  writeConsistency(writer, request.consistency);
}

function readRead(reader: ByteReader): FramedRead {
  return {
    kind: 'read',
    token: reader.varint(),
    remainingMs: reader.varint(),
    partition: reader.varint(),
    epoch: reader.varint(),
    key: reader.string(),
    consistency: readConsistency(reader),
  };
}

function writeScan(writer: ByteWriter, request: FramedScan): void {
  writer.uint8(SCAN);
  writer.varint(request.token);
  writer.varint(Math.max(0, Math.floor(request.remainingMs)));
  writeVarints(writer, request.partitions);
  writeRange(writer, request.range);
  writer.boolean(request.reverse);
  writer.boolean(request.keysOnly);
  writer.varint(request.limitRows);
  writer.varint(request.limitBytes);
  writeConsistency(writer, request.consistency);
}

function readScan(reader: ByteReader): FramedScan {
  return {
    kind: 'scan',
    token: reader.varint(),
    remainingMs: reader.varint(),
    partitions: readVarints(reader),
    range: readRange(reader),
    reverse: reader.boolean(),
    keysOnly: reader.boolean(),
    limitRows: reader.varint(),
    limitBytes: reader.varint(),
    consistency: readConsistency(reader),
  };
}

function writeRange(writer: ByteWriter, range: KeyRange): void {
  writer.string(range.start);
  writer.optionalString(range.end);
}

function readRange(reader: ByteReader): KeyRange {
  return { start: reader.string(), end: reader.optionalString() };
}

function writeConsistency(writer: ByteWriter, consistency: ReadRequest['consistency']): void {
  writer.boolean(consistency.kind === 'stale');
  if (consistency.kind === 'stale') writer.optionalVarint(consistency.maxStalenessMs);
}

function readConsistency(reader: ByteReader): ReadRequest['consistency'] {
  if (!reader.boolean()) return { kind: 'linearizable' };
  return { kind: 'stale', maxStalenessMs: reader.optionalVarint() };
}
