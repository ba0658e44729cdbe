/**
 * Group commit: while one transaction runs, all further changes gather in the next. The record of a partition is decided
 * on in memory, as it will be when everything gathered is durable; what states durability leaves only when it is
 * (docs/PROTOCOL.md 4.0, "one transaction").
 */
import { invariant } from '@ringleader/primitives';
import { rowBytes } from './partition/batches.js';
import { NewestByKey } from './partition/newest-by-key.js';
import { NO_CHANGES, type Gone, type Replica } from './partition/replica.js';
import type { Tombstone } from './purge/tombstones.js';
import type { PartitionRecord, Row } from './records.js';
import type { RowRemoval, RowUpsert, StorageTransaction } from './storage.js';

type Effect = () => void;

interface Pending {
  readonly id: number;
  readonly dirty: Replica[];
  readonly effects: Effect[];
  /** The records of `dirty` at the time when the transaction was handed out. */
  records: readonly PartitionRecord[];
}

export class TransactionBuilder {
  private building: Pending = { id: 1, dirty: [], effects: [], records: [] };
  private running: Pending | null = null;
  private durableId = 0;
  private rowCount = 0;
  private rowsTotal = 0;
  private byteCount = 0;

  /** Rows gathered for the next transaction. */
  get rowsGathered(): number {
    return this.rowCount;
  }

  /** Rows ever written. */
  get rowsTaken(): number {
    return this.rowsTotal;
  }

  /** About what they take. */
  get bytesGathered(): number {
    return this.byteCount;
  }

  setRecord(replica: Replica, record: PartitionRecord): void {
    invariant(
      record.purgedTo <= record.commitBound &&
        record.commitBound <= record.position.revision &&
        record.promised >= record.position.ballot,
      'record order: purgedTo <= commitBound <= revision, position.ballot <= promised',
    );
    if (record.generation !== replica.record.generation) replica.tombstones.reset();
    replica.record = record;
    if (replica.lastTransaction === this.building.id) return;
    replica.lastTransaction = this.building.id;
    this.building.dirty.push(replica);
  }

  upsert(replica: Replica, generation: number, row: Row): void {
    if (generation === replica.record.generation) replica.tombstones.note(row.key, row);
    replica.keysOf(generation).add(row.key);
    changesOf(replica, generation).put(row);
    this.rowCount += 1;
    this.rowsTotal += 1;
    this.byteCount += rowBytes(row);
  }

  remove(replica: Replica, generation: number, key: string): void {
    if (generation === replica.record.generation) replica.tombstones.note(key, null);
    this.removal(replica, generation, { key, goneRevision: null });
  }

  /** Removes a live tombstone. What has been gathered of its key since is newer. */
  purge(replica: Replica, { key, revision }: Tombstone): void {
    replica.tombstones.note(key, null);
    const { generation } = replica.record;
    const gathered = changesOf(replica, generation).get(key);
    if (gathered === undefined) this.removal(replica, generation, { key, goneRevision: revision });
    else if ('revision' in gathered && gathered.revision === revision) {
      this.removal(replica, generation, { key, goneRevision: null });
    }
  }

  /** Runs the effect when all that was gathered for this partition is durable: at once, if it already is. */
  whenDurable(replica: Replica, effect: Effect): void {
    if (replica.lastTransaction <= this.durableId) effect();
    else if (replica.lastTransaction === this.running?.id) this.running.effects.push(effect);
    else this.building.effects.push(effect);
  }

  /** Runs the effect when all that was gathered, for whichever partition, is durable. */
  whenGathered(effect: Effect): void {
    if (this.building.dirty.length > 0) this.building.effects.push(effect);
    else if (this.running !== null) this.running.effects.push(effect);
    else effect();
  }

  /** The next transaction, unless one runs or there is nothing to do. */
  handOut(): StorageTransaction | null {
    if (this.running !== null || this.building.dirty.length === 0) return null;
    const pending = this.building;
    const upserts: RowUpsert[] = [];
    const removals: RowRemoval[] = [];
    for (const replica of pending.dirty) {
      replica.handedOut = replica.record;
      for (const { generation, rows } of replica.changes) {
        const { partition } = replica;
        for (const row of rows.all()) {
          if ('revision' in row) upserts.push({ partition, generation, row });
          else removals.push({ partition, generation, key: row.key, revision: row.goneRevision });
        }
      }
      replica.changes = NO_CHANGES;
    }
    pending.records = pending.dirty.map((replica) => replica.record);
    this.running = pending;
    this.building = { id: pending.id + 1, dirty: [], effects: [], records: [] };
    this.rowCount = 0;
    this.byteCount = 0;
    return { id: pending.id, records: pending.records, upserts, removals };
  }

  durable(id: number): void {
    const done = this.running;
    invariant(done !== null && done.id === id, 'transactions end one at a time, in order');
    this.running = null;
    this.durableId = id;
    done.dirty.forEach((replica, index) => {
      const record = done.records[index];
      if (record !== undefined) replica.durable = record;
    });
    for (const effect of done.effects) effect();
  }

  private removal(replica: Replica, generation: number, gone: Gone): void {
    changesOf(replica, generation).put(gone);
    this.rowCount += 1;
  }
}

function changesOf(replica: Replica, generation: number): NewestByKey<Row | Gone> {
  const { changes } = replica;
  for (const known of changes) if (known.generation === generation) return known.rows;
  const rows = new NewestByKey<Row | Gone>();
  replica.changes = changes.length === 0 ? [{ generation, rows }] : [...changes, { generation, rows }];
  return rows;
}
