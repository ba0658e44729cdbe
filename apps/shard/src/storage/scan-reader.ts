/**
 * Reads live rows of many partitions together, in key order, from one snapshot: first the keys, partition by partition in
 * parts that grow on demand, merged here; then the rows of the chosen keys. So memory is bounded by the limits of the
 * scan, not by partitions x rows x the size of a value.
 */
import {
  ROW_OVERHEAD_BYTES,
  type RowAddress,
  type ScanRead,
  type StorageReadResult,
} from '@ringleader/paxos';
import { ArrayParameter, type HotConnection, type Statement, type TextRow } from '@ringleader/postgres';
import { fetchRows } from './point-reader.js';

/** Keys are hexadecimal here, as PostgreSQL prints them: strings that compare as the bytes do. */
type HexKey = string;

interface Candidate {
  readonly key: HexKey;
  readonly valueBytes: number;
}

interface Found {
  readonly key: HexKey;
  /** Null where it is a tombstone. */
  readonly valueBytes: number | null;
  /** There may be more behind it that were not looked at. */
  readonly isLastLook: boolean;
}

/** What is left of one partition's part of the range. */
interface PartitionStream {
  readonly partition: number;
  readonly generation: number;
  /** Inclusive. */
  start: HexKey;
  /** Exclusive. */
  end: HexKey;
  fetched: Candidate[];
  next: number;
  isExhausted: boolean;
}

/**
 * The live keys of each part among the next so many rows, tombstones or not; the last of these comes without a length where it
 * is a tombstone, so that who reads on begins behind it.
 */
function keysOfPartitions(name: string, order: 'ASC' | 'DESC'): Statement {
  return {
    name,
    text: `SELECT place, found.key, found.bytes, found.is_last_look
      FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bytea[])
        WITH ORDINALITY AS part (partition, generation, start_key, end_key, place)
      CROSS JOIN LATERAL (
        SELECT key, bytes, is_last_look FROM (
          SELECT key, octet_length(value) AS bytes, row_number() OVER (ORDER BY key ${order}) = $6 AS is_last_look
          FROM (
            SELECT key, value FROM rows
            WHERE rows.partition = part.partition AND rows.generation = part.generation
              AND key >= part.start_key AND key < part.end_key
            ORDER BY key ${order}
            LIMIT $6
          ) AS next
        ) AS looked_at
        WHERE bytes IS NOT NULL OR is_last_look
        ORDER BY key ${order}
        LIMIT $5
      ) AS found
      ORDER BY place, found.key ${order}`,
  };
}

const FORWARD = keysOfPartitions('scan_forward', 'ASC');
const REVERSE = keysOfPartitions('scan_reverse', 'DESC');

const HEX_PREFIX = '\\x';
/** No UTF-8 contains the byte 0xff: greater than every key. */
const BEYOND_ALL_KEYS: HexKey = '\\xff';
const KEYS_PER_PARTITION_MIN = 4;
const KEYS_PER_PARTITION_MAX = 1_024;
/** A statement looks at so many rows of all parts together: where there are only tombstones, it ends, and another one begins. */
const LOOKED_AT_MAX = 4_096;

export async function readScan(
  connection: HotConnection,
  read: ScanRead,
): Promise<Extract<StorageReadResult, { readonly kind: 'scan' }>> {
  await connection.runOnce('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { chosen, more } = await new KeyMerge(connection, read).choose();
  const valueBytesMax = read.keysOnly ? 0 : Number.POSITIVE_INFINITY;
  const rows = await fetchRows(
    connection,
    chosen.map((address) => ({ ...address, valueBytesMax })),
  );
  await connection.runOnce('COMMIT');
  return {
    kind: 'scan',
    id: read.id,
    rows: rows.flatMap((found, index) =>
      found === null ? [] : [{ partition: chosen[index]!.partition, row: found.row }],
    ),
    more,
  };
}

class KeyMerge {
  private readonly streams: readonly PartitionStream[];
  private readonly statement: Statement;
  private keysPerPartition: number;

  constructor(
    private readonly connection: HotConnection,
    private readonly read: ScanRead,
  ) {
    const { start, end } = read.range;
    this.statement = read.reverse ? REVERSE : FORWARD;
    this.streams = read.partitions.map(({ partition, generation }) => ({
      partition,
      generation,
      start: toHex(start),
      end: end === null ? BEYOND_ALL_KEYS : toHex(end),
      fetched: [],
      next: 0,
      isExhausted: false,
    }));
    // Keys are spread evenly over the partitions by their hash: twice the expected share is rarely too few.
    const share = Math.ceil((2 * read.limitRows) / Math.max(1, this.streams.length));
    this.keysPerPartition = Math.min(KEYS_PER_PARTITION_MAX, KEYS_PER_PARTITION_MIN + share);
  }

  async choose(): Promise<{ readonly chosen: readonly RowAddress[]; readonly more: boolean }> {
    const chosen: RowAddress[] = [];
    let bytes = 0;
    for (;;) {
      const stream = await this.first();
      if (stream === null) return { chosen, more: false };
      if (chosen.length >= this.read.limitRows || bytes >= this.read.limitBytes)
        return { chosen, more: true };
      const candidate = stream.fetched[stream.next++]!;
      const { partition, generation } = stream;
      chosen.push({ partition, generation, key: fromHex(candidate.key) });
      bytes +=
        byteLengthOf(candidate.key) + ROW_OVERHEAD_BYTES + (this.read.keysOnly ? 0 : candidate.valueBytes);
    }
  }

  /** The stream with the next key of the scan; null at the end of the range. */
  private async first(): Promise<PartitionStream | null> {
    for (;;) {
      const drained = this.streams.filter(
        (stream) => stream.next === stream.fetched.length && !stream.isExhausted,
      );
      if (drained.length === 0) break;
      await this.refill(drained);
    }
    let first: PartitionStream | null = null;
    for (const stream of this.streams) {
      if (stream.next < stream.fetched.length && (first === null || this.isBefore(stream, first)))
        first = stream;
    }
    return first;
  }

  private isBefore(a: PartitionStream, b: PartitionStream): boolean {
    const keyOfA = a.fetched[a.next]!.key;
    const keyOfB = b.fetched[b.next]!.key;
    return this.read.reverse ? keyOfA > keyOfB : keyOfA < keyOfB;
  }

  private async refill(drained: readonly PartitionStream[]): Promise<void> {
    const keys = this.keysPerPartition;
    const looks = Math.max(keys, Math.floor(LOOKED_AT_MAX / drained.length));
    const rows = await this.connection.run(this.statement, [...rangeParameters(drained), keys, looks]);
    this.keysPerPartition = Math.min(KEYS_PER_PARTITION_MAX, keys * 2);
    const found: Found[][] = drained.map(() => []);
    for (const columns of rows) found[Number(columns[0]) - 1]!.push(foundFromText(columns));
    drained.forEach((stream, index) => this.advance(stream, found[index]!, keys));
  }

  /** It is exhausted where there were fewer rows than were to be looked at, and fewer keys than were to be found. */
  private advance(stream: PartitionStream, found: readonly Found[], keys: number): void {
    stream.fetched = found.flatMap(({ key, valueBytes }) =>
      valueBytes === null ? [] : [{ key, valueBytes }],
    );
    stream.next = 0;
    const last = found.at(-1);
    stream.isExhausted = found.length < keys && last?.isLastLook !== true;
    if (last === undefined) return;
    if (this.read.reverse) stream.end = last.key;
    // A key followed by a zero byte is the least key after it.
    else stream.start = `${last.key}00`;
  }
}

function foundFromText([, key, bytes, isLastLook]: TextRow): Found {
  return { key: key!, valueBytes: bytes === null ? null : Number(bytes), isLastLook: isLastLook === 't' };
}

function rangeParameters(streams: readonly PartitionStream[]): Buffer[] {
  const partition = new ArrayParameter('smallint', streams.length * 6);
  const generation = new ArrayParameter('bigint', streams.length * 12);
  const start = new ArrayParameter('bytea', streams.length * 24);
  const end = new ArrayParameter('bytea', streams.length * 24);
  for (const stream of streams) {
    partition.smallint(stream.partition);
    generation.bigint(stream.generation);
    start.bytes(hexToBytes(stream.start));
    end.bytes(hexToBytes(stream.end));
  }
  return [partition, generation, start, end].map((column) => column.finish());
}

const toHex = (key: string): HexKey => HEX_PREFIX + Buffer.from(key, 'utf8').toString('hex');
const byteLengthOf = (hex: HexKey): number => (hex.length - HEX_PREFIX.length) / 2;
const hexToBytes = (hex: HexKey): Buffer => Buffer.from(hex.slice(HEX_PREFIX.length), 'hex');
const fromHex = (hex: HexKey): string => hexToBytes(hex).toString('utf8');
