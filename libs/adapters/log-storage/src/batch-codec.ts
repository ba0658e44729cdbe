/** A batch as a record's payload. Integers are 64 bits; entries follow each other without gaps in the index. */
import { sealRecord, recordHeaderBytes, recordSize } from './record.js';
import type { LogBatch, LogEntry, LogHardState, LogPoint } from './types.js';

/** term, vote, commit, snapshot index, snapshot term, first index, number of entries. */
const fixedBytes = 7 * 8;
/** term, kind (4), length (4). */
const entryHeaderBytes = 16;

export interface StoredBatch {
  readonly hardState: LogHardState;
  /** The log starts anew behind this point; index 0: it goes on. */
  readonly base: LogPoint;
  readonly entries: readonly LogEntry[];
}

/** A whole record, ready to be written. */
export function encodeBatch(batch: LogBatch, sequence: number): Buffer {
  let payloadBytes = fixedBytes;
  for (const entry of batch.entries) payloadBytes += entryHeaderBytes + entry.data.byteLength;
  const record = Buffer.allocUnsafe(recordSize(payloadBytes));
  writePayload(record, batch);
  sealRecord(record, payloadBytes, sequence);
  return record;
}

function writePayload(record: Buffer, { hardState, snapshot, entries }: LogBatch): void {
  const first = entries[0]?.index ?? 0;
  const { index, term } = snapshot?.writer.point ?? { index: 0, term: 0 };
  let at = recordHeaderBytes;
  const fixed = [hardState.term, hardState.vote, hardState.commit, index, term, first, entries.length];
  for (const value of fixed) at = writeInteger(record, value, at);
  for (const entry of entries) {
    at = writeInteger(record, entry.term, at);
    at = record.writeUInt32LE(entry.kind, at);
    at = record.writeUInt32LE(entry.data.byteLength, at);
    record.set(entry.data, at);
    at += entry.data.byteLength;
  }
}

/** Null if the payload, whose checksum matched, is not a batch. */
export function decodeBatch(payload: Buffer): StoredBatch | null {
  if (payload.length < fixedBytes) return null;
  const [term, vote, commit, baseIndex, baseTerm, first, count] = readFixed(payload);
  const entries: LogEntry[] = [];
  let at = fixedBytes;
  for (let i = 0; i < count; i++) {
    if (at + entryHeaderBytes > payload.length) return null;
    const start = at + entryHeaderBytes;
    const end = start + payload.readUInt32LE(at + 12);
    if (end > payload.length) return null;
    const data = new Uint8Array(payload.subarray(start, end));
    const kind = payload.readUInt32LE(at + 8);
    entries.push({ index: first + i, term: readInteger(payload, at), kind, data });
    at = end;
  }
  if (at !== payload.length) return null;
  return { hardState: { term, vote, commit }, base: { index: baseIndex, term: baseTerm }, entries };
}

type Fixed = [number, number, number, number, number, number, number];

function readFixed(payload: Buffer): Fixed {
  const at = (position: number): number => readInteger(payload, position * 8);
  return [at(0), at(1), at(2), at(3), at(4), at(5), at(6)];
}

function writeInteger(buffer: Buffer, value: number, at: number): number {
  buffer.writeUInt32LE(value % 0x1_0000_0000, at);
  return buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

function readInteger(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 0x1_0000_0000;
}
