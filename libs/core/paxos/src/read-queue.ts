/**
 * Storage reads on their way. Row reads of a turn's requests go out together; ordered reads (delta, page, digests) are built
 * when they are handed out, because their answer belongs to the record that was handed out last.
 */
import type {
  DeltaRead,
  DigestRead,
  PageRead,
  RowRead,
  ScanRead,
  StorageRead,
  StorageReadResult,
  StoredRow,
  TombstoneRead,
} from './storage.js';

type Result<K extends StorageReadResult['kind']> = Extract<StorageReadResult, { kind: K }>;
type WithoutId<T> = Omit<T, 'id'>;

type BuildRead = (id: number) => StorageRead | null;

/** Deltas and pages may have megabytes each, and run one after the other anyway. */
const ORDERED_MAX = 8;
/** What one read brings is in memory together, and each may have a megabyte. */
const ROWS_PER_READ_MAX = 16;

export class ReadQueue {
  private nextId = 1;
  private rowReads: RowRead[] = [];
  private rowWaiters: ((row: StoredRow | null) => void)[] = [];
  private gathered: BuildRead[] = [];
  private readonly orderedWaiting: BuildRead[] = [];
  private orderedUnderWay = 0;
  private readonly waiting = new Map<number, (result: StorageReadResult) => void>();

  row(read: RowRead, done: (row: StoredRow | null) => void): void {
    this.rowReads.push(read);
    this.rowWaiters.push(done);
  }

  scan(read: WithoutId<ScanRead>, done: (result: Result<'scan'>) => void): void {
    this.gathered.push((id) => {
      this.waiting.set(id, (result) => {
        if (result.kind === 'scan') done(result);
      });
      return { ...read, id };
    });
  }

  tombstones(read: WithoutId<TombstoneRead>, done: (result: Result<'tombstones'>) => void): void {
    this.gathered.push((id) => {
      this.waiting.set(id, (result) => {
        if (result.kind === 'tombstones') done(result);
      });
      return { ...read, id };
    });
  }

  /** `build` is called when the read is handed out; null withdraws it. */
  delta(build: () => WithoutId<DeltaRead> | null, done: (result: Result<'delta'>) => void): void {
    this.ordered(build, (result) => {
      if (result.kind === 'delta') done(result);
    });
  }

  page(build: () => WithoutId<PageRead> | null, done: (result: Result<'page'>) => void): void {
    this.ordered(build, (result) => {
      if (result.kind === 'page') done(result);
    });
  }

  digests(build: () => WithoutId<DigestRead> | null, done: (result: Result<'digests'>) => void): void {
    this.ordered(build, (result) => {
      if (result.kind === 'digests') done(result);
    });
  }

  private ordered(
    build: () => WithoutId<DeltaRead> | WithoutId<PageRead> | WithoutId<DigestRead> | null,
    done: (result: StorageReadResult) => void,
  ): void {
    this.orderedWaiting.push((id) => {
      const read = build();
      if (read === null) return null;
      this.orderedUnderWay += 1;
      this.waiting.set(id, (result) => {
        this.orderedUnderWay -= 1;
        done(result);
      });
      return { ...read, id };
    });
  }

  take(): StorageRead[] {
    const reads: StorageRead[] = [];
    while (this.rowReads.length > 0) reads.push(this.takeRows());
    for (const build of this.gathered) this.takeOne(build, reads);
    this.gathered = [];
    while (this.orderedUnderWay < ORDERED_MAX) {
      const build = this.orderedWaiting.shift();
      if (build === undefined) break;
      this.takeOne(build, reads);
    }
    return reads;
  }

  private takeOne(build: BuildRead, reads: StorageRead[]): void {
    const read = build(this.nextId);
    if (read === null) return;
    this.nextId += 1;
    reads.push(read);
  }

  /** An answer that nothing waits for (a repeat) is passed over. */
  done(result: StorageReadResult): void {
    const waiter = this.waiting.get(result.id);
    if (waiter === undefined) return;
    this.waiting.delete(result.id);
    waiter(result);
  }

  private takeRows(): StorageRead {
    const id = this.nextId;
    this.nextId += 1;
    const keys = this.rowReads.splice(0, ROWS_PER_READ_MAX);
    const waiters = this.rowWaiters.splice(0, ROWS_PER_READ_MAX);
    this.waiting.set(id, (result) => {
      if (result.kind !== 'rows') return;
      waiters.forEach((waiter, index) => waiter(result.rows[index] ?? null));
    });
    return { kind: 'rows', id, keys };
  }
}
