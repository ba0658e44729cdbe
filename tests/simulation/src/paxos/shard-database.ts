/** The in-memory twin of a shard's PostgreSQL, with what the checks want to know of it: which rows they are, as a number. */
import { ByteWriter, decodeFrame, requestMarksCodec } from '@ringleader/contracts';
import type { Ballot, PartitionIndex } from '@ringleader/primitives';
import type {
  GenerationRemoval,
  PartitionRecord,
  Position,
  Row,
  RowAddress,
  StorageTransaction,
} from '@ringleader/paxos';
import { MemoryStorage } from '@ringleader/paxos/testing';
import { fingerprintOf } from './fingerprint.js';

/** What a shard that starts takes from its greatest row, and not from its record: for controls. */
export type ReadFromRows = 'revision' | 'position';

export interface ReplicaRows {
  readonly rows: ReadonlyMap<string, Row>;
  /** Sums of the fingerprints of the rows, equal for equal sets of rows: of all, and without tombstones. */
  readonly fingerprint: number;
  readonly liveFingerprint: number;
}

const NO_BALLOT: Ballot = 0;
const EMPTY = { fingerprint: 0, liveFingerprint: 0 };
const writer = new ByteWriter();

export class ShardDatabase extends MemoryStorage {
  incarnation = 0;
  /** At which ballot each row came, which stands in no row (4.0): for controls. */
  readonly #ballots = new Map<string, Map<string, Ballot>>();
  readonly #fingerprints = new Map<string, Omit<ReplicaRows, 'rows'>>();

  /** As a shard that starts reads them; of broken ones the position is that of the greatest row. */
  recordsAtStart(readFromRows: ReadFromRows | undefined): readonly PartitionRecord[] {
    const records = [...this.records.values()];
    if (readFromRows === undefined) return records;
    return records.map((record) => {
      const { ballot, revision } = this.#positionOfRows(record);
      return {
        ...record,
        position: { ballot: readFromRows === 'position' ? ballot : record.position.ballot, revision },
        commitBound: Math.min(record.commitBound, revision),
        purgedTo: Math.min(record.purgedTo, revision),
      };
    });
  }

  #positionOfRows(record: PartitionRecord): Position {
    const ballots = this.#ballots.get(nameOf(record));
    const positions = [...this.liveRows(record.partition).values()].map(({ key, revision }) => ({
      revision,
      ballot: ballots?.get(key) ?? NO_BALLOT,
    }));
    return positions.reduce((a, b) => (a.revision > b.revision ? a : b), { ballot: NO_BALLOT, revision: 0 });
  }

  live(partition: PartitionIndex): ReplicaRows {
    const generation = this.records.get(partition)?.generation ?? 0;
    const fingerprints = this.#fingerprints.get(nameOf({ partition, generation })) ?? EMPTY;
    return { rows: this.liveRows(partition), ...fingerprints };
  }

  /** What a backup holds. */
  copy(): ShardDatabase {
    const copy = new ShardDatabase();
    this.copyInto(copy);
    copy.incarnation = this.incarnation;
    return copy;
  }

  override apply(transaction: StorageTransaction): void {
    const upserts = transaction.upserts.map((upsert) => ({ ...upsert, row: stored(upsert.row) }));
    super.apply({ ...transaction, upserts });
  }

  override removeGeneration(removal: GenerationRemoval): void {
    super.removeGeneration(removal);
    this.#fingerprints.delete(nameOf(removal));
    this.#ballots.delete(nameOf(removal));
  }

  protected override changed(address: RowAddress, before: Row | null, after: Row | null): void {
    const name = nameOf(address);
    const { ballot = NO_BALLOT } = this.records.get(address.partition)?.position ?? {};
    this.#ballots.set(name, (this.#ballots.get(name) ?? new Map<string, Ballot>()).set(address.key, ballot));
    const { fingerprint, liveFingerprint } = this.#fingerprints.get(name) ?? EMPTY;
    this.#fingerprints.set(name, {
      fingerprint: fingerprint + numberOf(after) - numberOf(before),
      liveFingerprint: liveFingerprint + liveNumberOf(after) - liveNumberOf(before),
    });
  }
}

/** As PostgreSQL gives it back: nothing of it is shared with who wrote it, and the requests went through their codec. */
function stored(row: Row): Row {
  requestMarksCodec.write(writer, row.requests);
  const requests = decodeFrame(writer.take(), requestMarksCodec.read);
  if ('kind' in requests) throw new RangeError(`unreadable requests: ${requests.reason}`);
  return { ...row, value: row.value === null ? null : Uint8Array.from(row.value), requests };
}

function numberOf(row: Row | null): number {
  return row === null ? 0 : fingerprintOf(row);
}

function liveNumberOf(row: Row | null): number {
  return row?.value === null ? 0 : numberOf(row);
}

function nameOf({ partition, generation }: GenerationRemoval): string {
  return `${String(partition)}/${String(generation)}`;
}
