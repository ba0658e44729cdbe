/** Records of partitions in binary: what a transaction appends to the record log, and what the record table holds. */
import type { PartitionRecord, Staging } from '@ringleader/paxos';
import {
  type ByteReader,
  type ByteWriter,
  decodeFrame,
  readPosition,
  writePosition,
} from '@ringleader/contracts';
import { OperationalError } from '@ringleader/contracts';

const VERSION = 2;
/** Did not say what the pages of a copy had forgotten (`dedupeFloor`): a copy begun then has to begin anew. */
const VERSION_WITHOUT_STAGED_FLOOR = 1;

/** A list of records; the same writer may be used again and again. */
export function encodeRecords(writer: ByteWriter, records: readonly PartitionRecord[]): Buffer {
  writer.uint8(VERSION);
  writer.varint(records.length);
  for (const record of records) writeRecord(writer, record);
  return writer.take();
}

/** Our own bytes: what cannot be read is damage, and the shard must not start on it. */
export function decodeRecords(bytes: Uint8Array): readonly PartitionRecord[] {
  const decoded = decodeFrame(bytes, readRecords);
  if ('kind' in decoded) {
    throw new OperationalError(
      'STORAGE_FAILED',
      `A partition record in the database cannot be read: ${decoded.reason}`,
      {
        reason: 'corrupt',
      },
    );
  }
  return decoded;
}

function readRecords(reader: ByteReader): readonly PartitionRecord[] {
  const version = reader.uint8();
  if (version !== VERSION && version !== VERSION_WITHOUT_STAGED_FLOOR) {
    throw new OperationalError(
      'STORAGE_FAILED',
      `The database holds records of version ${version}, known is ${VERSION}`,
      {
        reason: 'version',
      },
    );
  }
  const count = reader.count();
  const records: PartitionRecord[] = [];
  for (let i = 0; i < count; i++) records.push(readRecord(reader, version));
  return records;
}

function writeRecord(writer: ByteWriter, record: PartitionRecord): void {
  writer.varint(record.partition);
  writer.varint(record.epoch);
  writer.varint(record.promised);
  writePosition(writer, record.position);
  writer.varint(record.commitBound);
  writer.varint(record.purgedTo);
  writer.varint(record.dedupeFloor);
  writer.varint(record.generation);
  writer.boolean(record.staging !== null);
  if (record.staging !== null) writeStaging(writer, record.staging);
}

function readRecord(reader: ByteReader, version: number): PartitionRecord {
  return {
    partition: reader.varint(),
    epoch: reader.varint(),
    promised: reader.varint(),
    position: readPosition(reader),
    commitBound: reader.varint(),
    purgedTo: reader.varint(),
    dedupeFloor: reader.varint(),
    generation: reader.varint(),
    staging: reader.boolean() ? readStaging(reader, version) : null,
  };
}

function writeStaging(writer: ByteWriter, staging: Staging): void {
  writer.varint(staging.copyId);
  writer.varint(staging.generation);
  writer.varint(staging.ballot);
  writer.varint(staging.base);
  writer.varint(staging.nextBase);
  writer.varint(staging.purgedTo);
  writer.varint(staging.dedupeFloor);
  writer.optionalString(staging.nextKey);
  writer.varint(staging.pass);
}

function readStaging(reader: ByteReader, version: number): Staging | null {
  const hasFloor = version !== VERSION_WITHOUT_STAGED_FLOOR;
  const staging: Staging = {
    copyId: reader.varint(),
    generation: reader.varint(),
    ballot: reader.varint(),
    base: reader.varint(),
    nextBase: reader.varint(),
    purgedTo: reader.varint(),
    dedupeFloor: hasFloor ? reader.varint() : 0,
    nextKey: reader.optionalString(),
    pass: reader.varint(),
  };
  return hasFloor ? staging : null;
}
