/**
 * The storage of one incarnation of a shard: one writer that runs one transaction at a time, and readers beside it. After
 * the first failure it is of no use any more: whoever drives it throws it away, with its core, and opens a new one.
 */
import { OperationalError } from '@ringleader/contracts';
import {
  type GenerationRemoval,
  isPass,
  type PartitionRecord,
  type StorageRead,
  type StorageReadResult,
  type StorageTransaction,
} from '@ringleader/paxos';
import type { Incarnation } from '@ringleader/primitives';
import {
  checkDurability,
  DURABILITY_COLUMNS,
  type HotConnection,
  type Statement,
} from '@ringleader/postgres';
import { GenerationSweeper, unnamedGenerations } from './generation-sweeper.js';
import { PassReader } from './pass-reader.js';
import { PointReader } from './point-reader.js';
import { readDelta, readDigests, readPage } from './range-reader.js';
import { RecordLog } from './record-log.js';
import { RowWriter } from './row-writer.js';
import { readScan } from './scan-reader.js';
import { readTombstones } from './tombstone-reader.js';

/** `scans` also serves what is not urgent; `passes` reads that may pass all rows of a partition. */
export interface StorageConnections {
  readonly writer: HotConnection;
  readonly points: HotConnection;
  readonly scans: HotConnection;
  readonly passes: HotConnection;
}

const WAL_POSITION: Statement = {
  name: 'wal_position',
  text: `SELECT pg_current_wal_flush_lsn()::text, ${DURABILITY_COLUMNS}`,
};
/** Without indexes; what is dead and not reclaimed yet is in it too. */
const ROWS_BYTES: Statement = { name: 'rows_bytes', text: "SELECT pg_table_size('rows')" };

export class ShardStorage {
  private readonly rowWriter: RowWriter;
  private readonly recordLog: RecordLog;
  private readonly pointReader: PointReader;
  private readonly passReader: PassReader;
  private readonly sweeper: GenerationSweeper;
  private leftovers: readonly GenerationRemoval[] = [];
  private folding: Promise<void> = Promise.resolve();
  /** Scans are transactions of several statements: one after the other. */
  private lastScan: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly connections: StorageConnections,
    incarnation: Incarnation,
  ) {
    this.rowWriter = new RowWriter(incarnation);
    this.recordLog = new RecordLog(connections.writer, incarnation);
    this.pointReader = new PointReader(connections.points);
    this.passReader = new PassReader(connections.writer, connections.passes);
    this.sweeper = new GenerationSweeper(connections.writer);
  }

  /** The database is this incarnation's already; gives the last durable record of each partition. */
  static async open(
    connections: StorageConnections,
    incarnation: Incarnation,
  ): Promise<{ readonly storage: ShardStorage; readonly records: readonly PartitionRecord[] }> {
    const storage = new ShardStorage(connections, incarnation);
    const records = await storage.recordLog.load();
    await storage.fold();
    storage.leftovers = await unnamedGenerations(connections.writer, records);
    return { storage, records };
  }

  /** One at a time. Resolves when the transaction is durable; if it rejects, it may or may not be. */
  async commit(transaction: StorageTransaction): Promise<void> {
    const { statement, values, recordBytes } = this.rowWriter.prepare(transaction, this.recordLog.nextId());
    if ((await this.connections.writer.change(statement, values)) !== 1) throw fenced();
    await this.folding;
    this.recordLog.appended(transaction.records, recordBytes);
    if (this.recordLog.isDueForFolding) this.beginFolding();
  }

  /**
   * No transaction is under way, so the log holds just what is known here, and the next transaction queues up behind the
   * folding. Its failure is that of the next transaction.
   */
  private beginFolding(): void {
    this.folding = this.fold();
    this.folding.catch(() => undefined);
  }

  private async fold(): Promise<void> {
    if (!(await this.recordLog.fold())) throw fenced();
  }

  /** `delta`, `page` and `digests` read the state after the last transaction handed over before them. */
  read(read: StorageRead): Promise<StorageReadResult> {
    switch (read.kind) {
      case 'rows':
        return this.pointReader.read(read.keys).then((rows) => ({ kind: 'rows', id: read.id, rows }));
      case 'scan':
        return this.afterOtherScans(() => readScan(this.connections.scans, read));
      case 'delta':
        return isPass(read) ? this.passReader.read(read) : readDelta(this.connections.writer, read);
      case 'page':
        return isPass(read) ? this.passReader.read(read) : readPage(this.connections.writer, read);
      case 'tombstones':
        return this.afterOtherScans(() => readTombstones(this.connections.scans, read));
      case 'digests':
        return readDigests(this.connections.writer, read);
    }
  }

  removeGeneration(removal: GenerationRemoval): Promise<void> {
    return this.sweeper.remove(removal);
  }

  /** What an earlier incarnation had no time to remove. */
  async removeLeftovers(): Promise<void> {
    for (const leftover of this.leftovers) await this.sweeper.remove(leftover);
    this.leftovers = [];
  }

  /** How far the write-ahead log is on disk. Refuses (DURABILITY_OFF) what a reload may have switched off since the start. */
  async walPosition(): Promise<string> {
    const [row] = await this.afterOtherScans(() => this.connections.scans.run(WAL_POSITION, []));
    const [position, ...settings] = row ?? [];
    checkDurability(settings);
    return position ?? '0/0';
  }

  /** What the rows of all partitions take up, about. */
  async rowsBytes(): Promise<number> {
    const [row] = await this.afterOtherScans(() => this.connections.scans.run(ROWS_BYTES, []));
    return Number(row?.[0] ?? 0);
  }

  async close(): Promise<void> {
    const { writer, points, scans, passes } = this.connections;
    await Promise.all([writer, points, scans, passes].map((connection) => connection.close()));
  }

  private afterOtherScans<T>(run: () => Promise<T>): Promise<T> {
    const result = this.lastScan.then(run);
    // Whoever asked for it sees the failure; the next scan fails by itself.
    this.lastScan = result.catch(() => undefined);
    return result;
  }
}

function fenced(): OperationalError {
  return new OperationalError('STORAGE_FAILED', 'Another process has taken over the database of this shard', {
    reason: 'fenced',
  });
}
