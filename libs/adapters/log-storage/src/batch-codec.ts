/** A batch as a record's payload. Integers are 64 bits; entries follow each other without gaps in the index. */
import {
  ByteReader,
  ByteWriter,
  bytes32,
  type Codec,
  fields,
  MalformedBytesError,
  uint32,
  uint64,
} from '@ringleader/primitives';
import { sealRecord, recordHeaderBytes, recordSize } from './record.js';
import type { ReceivedSnapshot } from './snapshot-files.js';
import type { LogEntry, LogHardState, LogPoint } from './types.js';

/** What becomes durable together, or not at all. */
export interface LogBatch {
  readonly hardState: LogHardState;
  /** Consecutive. The first one replaces whatever stands at its index and after it. */
  readonly entries: readonly LogEntry[];
  readonly snapshot: ReceivedSnapshot | null;
}

export interface StoredBatch {
  readonly hardState: LogHardState;
  /** The log starts anew behind this point; index 0: it goes on. */
  readonly base: LogPoint;
  readonly entries: readonly LogEntry[];
}

interface Head {
  readonly hardState: LogHardState;
  readonly base: LogPoint;
  /** Index of the first entry. */
  readonly first: number;
  readonly count: number;
}

const head = fields<Head>({
  hardState: fields<LogHardState>({ term: uint64, vote: uint64, commit: uint64 }),
  base: fields<LogPoint>({ index: uint64, term: uint64 }),
  first: uint64,
  count: uint64,
});
const entryCodec = fields<Omit<LogEntry, 'index'>>({ term: uint64, kind: uint32, data: bytes32 });

const payloadCodec: Codec<StoredBatch> = {
  write(writer, { hardState, base, entries }) {
    head.write(writer, { hardState, base, first: entries[0]?.index ?? 0, count: entries.length });
    for (const entry of entries) entryCodec.write(writer, entry);
  },
  read(reader) {
    const { hardState, base, first, count } = head.read(reader);
    const entries: LogEntry[] = [];
    while (entries.length < count) {
      const { term, kind, data } = entryCodec.read(reader);
      // A copy: a view would keep the whole segment.
      entries.push({ index: first + entries.length, term, kind, data: new Uint8Array(data) });
    }
    return { hardState, base, entries };
  },
};

/** Records are cut out of its memory one after the other. */
const writer = new ByteWriter();
const room = new Uint8Array(recordHeaderBytes);

/** A whole record, ready to be written. */
export function encodeBatch(batch: StoredBatch, sequence: number): Buffer {
  writer.truncate(0);
  writer.raw(room);
  payloadCodec.write(writer, batch);
  const payloadBytes = writer.length - recordHeaderBytes;
  writer.raw(room.subarray(0, recordSize(payloadBytes) - writer.length));
  const record = writer.take();
  sealRecord(record, payloadBytes, sequence);
  return record;
}

/** Null if the payload, whose checksum matched, is not a batch. */
export function decodeBatch(payload: Buffer): StoredBatch | null {
  const reader = new ByteReader(payload);
  try {
    const batch = payloadCodec.read(reader);
    reader.end();
    return batch;
  } catch (error) {
    if (error instanceof MalformedBytesError) return null;
    throw error;
  }
}
