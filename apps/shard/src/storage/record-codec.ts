/** Records of partitions in binary: what a transaction appends to the record log, and what the record table holds. */
import type { PartitionRecord, Staging } from '@ringleader/paxos';
import { decodeFrame, OperationalError, positionCodec } from '@ringleader/contracts';
import {
  type ByteReader,
  type ByteWriter,
  type Codec,
  constant,
  fields,
  listOf,
  optional,
  string,
  varint,
} from '@ringleader/primitives';

const VERSION = 2;
/** Did not say what the pages of a copy had forgotten (`dedupeFloor`): a copy begun then has to begin anew. */
const VERSION_WITHOUT_STAGED_FLOOR = 1;

const stagingCodec = (dedupeFloor: Codec<number>): Codec<Staging> =>
  fields({
    copyId: varint,
    generation: varint,
    ballot: varint,
    base: varint,
    nextBase: varint,
    purgedTo: varint,
    dedupeFloor,
    nextKey: optional(string),
    pass: varint,
  });

const recordsCodec = (staging: Codec<Staging | null>): Codec<readonly PartitionRecord[]> =>
  listOf(
    fields({
      partition: varint,
      epoch: varint,
      promised: varint,
      position: positionCodec,
      commitBound: varint,
      purgedTo: varint,
      dedupeFloor: varint,
      generation: varint,
      staging,
    }),
  );

const records = recordsCodec(optional(stagingCodec(varint)));
const stagingWithoutFloor = optional(stagingCodec(constant(0)));
const recordsWithoutStagedFloor = recordsCodec({
  ...stagingWithoutFloor,
  read(reader) {
    stagingWithoutFloor.read(reader);
    return null;
  },
});

/** A list of records; the same writer may be used again and again. */
export function encodeRecords(writer: ByteWriter, list: readonly PartitionRecord[]): Buffer {
  writer.uint8(VERSION);
  records.write(writer, list);
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
  return version === VERSION ? records.read(reader) : recordsWithoutStagedFloor.read(reader);
}
