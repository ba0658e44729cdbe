/**
 * Where the newest record of each partition is found: in the table of records as of the last folding, overruled by the
 * entries of the record log, one per transaction since. Folding moves the log into the table, in one transaction.
 */
import { ByteWriter } from '@ringleader/contracts';
import type { PartitionRecord } from '@ringleader/paxos';
import type { Incarnation, PartitionIndex } from '@ringleader/primitives';
import { ArrayParameter, type HotConnection, type Statement } from '@ringleader/postgres';
import { decodeRecords, encodeRecords } from './record-codec.js';
import { bytesFromHex } from './row-columns.js';

const ALL_RECORDS: Statement = { name: 'all_records', text: 'SELECT record FROM partition_records' };
const LOG_ENTRIES: Statement = {
  name: 'log_entries',
  text: 'SELECT id, records FROM record_log ORDER BY id',
};
const FOLD: Statement = {
  name: 'fold_records',
  text: `WITH fence AS (SELECT FROM shard_identity WHERE incarnation = $1),
    folded AS (
      INSERT INTO partition_records (partition, record)
      SELECT newest.* FROM fence, unnest($2::smallint[], $3::bytea[]) AS newest
      ON CONFLICT (partition) DO UPDATE SET record = excluded.record),
    dropped AS (DELETE FROM record_log USING fence WHERE id <= $4)
    SELECT count(*) FROM fence`,
};

/** The log is read at every start and scanned by every folding: some milliseconds at these limits. */
export const FOLD_AFTER = { entries: 4_096, bytes: 4 * 1024 * 1024 } as const;

export class RecordLog {
  private readonly unfolded = new Map<PartitionIndex, PartitionRecord>();
  private readonly writer = new ByteWriter();
  private entries = 0;
  private bytes = 0;
  private lastId = 0;

  constructor(
    private readonly connection: HotConnection,
    private readonly incarnation: Incarnation,
  ) {}

  /** The last durable record of each partition. */
  async load(): Promise<readonly PartitionRecord[]> {
    const records = new Map<PartitionIndex, PartitionRecord>();
    for (const [hex] of await this.connection.run(ALL_RECORDS, [])) {
      for (const record of decodeRecords(bytesFromHex(hex!)!)) records.set(record.partition, record);
    }
    for (const [id, hex] of await this.connection.run(LOG_ENTRIES, [])) {
      this.lastId = Number(id);
      for (const record of decodeRecords(bytesFromHex(hex!)!)) {
        records.set(record.partition, record);
        this.unfolded.set(record.partition, record);
      }
    }
    return [...records.values()];
  }

  nextId(): number {
    return ++this.lastId;
  }

  /** An entry has become durable. */
  appended(records: readonly PartitionRecord[], bytes: number): void {
    for (const record of records) this.unfolded.set(record.partition, record);
    this.entries++;
    this.bytes += bytes;
  }

  get isDueForFolding(): boolean {
    return this.entries >= FOLD_AFTER.entries || this.bytes >= FOLD_AFTER.bytes;
  }

  /** False when another incarnation has taken the database over. Handed to the connection before this returns. */
  async fold(): Promise<boolean> {
    if (this.lastId === 0) return true;
    const partition = new ArrayParameter('smallint', this.unfolded.size * 6);
    const record = new ArrayParameter('bytea', this.unfolded.size * 64);
    for (const newest of this.unfolded.values()) {
      partition.smallint(newest.partition);
      record.bytes(encodeRecords(this.writer, [newest]));
    }
    this.unfolded.clear();
    this.entries = 0;
    this.bytes = 0;
    const values = [this.incarnation, partition.finish(), record.finish(), this.lastId];
    const [row] = await this.connection.run(FOLD, values);
    return row?.[0] === '1';
  }
}
