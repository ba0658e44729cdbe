/**
 * Group commit: while one transaction runs, all further changes gather in the next. The record of a partition is decided
 * on in memory, as it will be when everything gathered is durable; what states durability leaves only when it is
 * (docs/PROTOCOL.md 4.0, "one transaction").
 */
import { invariant } from '@ringleader/primitives';
import { rowBytes } from './partition/batches.js';
import type { Gone, Replica, RowChanges } from './partition/replica.js';
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
    this.change(replica, generation, row.key, row);
  }

  remove(replica: Replica, generation: number, key: string): void {
    if (generation === replica.record.generation) replica.tombstones.note(key, null);
    this.change(replica, generation, key, GONE);
  }

  /** Removes a live tombstone. What has been gathered of its key since is newer. */
  purge(replica: Replica, { key, revision }: Tombstone): void {
    replica.tombstones.note(key, null);
    const { generation } = replica.record;
    const gathered = changesOf(replica, generation).rows.get(key);
    if (gathered === undefined) this.change(replica, generation, key, { goneRevision: revision });
    else if ('key' in gathered && gathered.revision === revision) this.change(replica, generation, key, GONE);
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
        for (const [key, row] of rows) {
          const { partition } = replica;
          if ('key' in row) upserts.push({ partition, generation, row });
          else removals.push({ partition, generation, key, revision: row.goneRevision });
        }
      }
      if (replica.changes.length > 0) replica.changes = [];
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

  private change(replica: Replica, generation: number, key: string, row: Row | Gone): void {
    changesOf(replica, generation).rows.set(key, row);
    this.rowCount += 1;
    if (!('key' in row)) return;
    this.rowsTotal += 1;
    this.byteCount += rowBytes(row);
  }
}

const GONE: Gone = { goneRevision: null };

function changesOf(replica: Replica, generation: number): RowChanges {
  let changes = replica.changes.find((entry) => entry.generation === generation);
  if (changes === undefined) {
    changes = { generation, rows: new Map() };
    replica.changes.push(changes);
  }
  return changes;
}
