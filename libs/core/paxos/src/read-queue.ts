/**
 * Storage reads on their way. Row reads of a turn's requests go out together; ordered reads (delta, page, digests) are built
 * when they are handed out, because their answer belongs to the record that was handed out last.
 */
import {
  type DeltaRead,
  type DigestRead,
  isPass,
  type PageRead,
  type RowRead,
  type ScanRead,
  type StorageRead,
  type StorageReadResult,
  type StoredRow,
  type TombstoneRead,
} from './storage.js';

type Result<K extends StorageReadResult['kind']> = Extract<StorageReadResult, { kind: K }>;
type WithoutId<T> = Omit<T, 'id'>;

type BuildRead = (id: number) => StorageRead;

interface OrderedRead {
  readonly build: () => WithoutId<DeltaRead> | WithoutId<PageRead> | WithoutId<DigestRead> | null;
  readonly done: (result: StorageReadResult) => void;
}

/** Deltas and pages may have megabytes each, and run one after the other anyway. */
const ORDERED_MAX = 8;
/** What one read brings is in memory together, and each may have a megabyte. */
const ROWS_PER_READ_MAX = 16;

export class ReadQueue {
  private nextId = 1;
  private rowReads: RowRead[] = [];
  private rowWaiters: ((row: StoredRow | null) => void)[] = [];
  private gathered: BuildRead[] = [];
  private readonly orderedWaiting: OrderedRead[] = [];
  private orderedUnderWay = 0;
  /** Ordered reads that were to be handed out while a pass was under way, and are one. */
  private readonly passesWaiting: OrderedRead[] = [];
  private isPassing = false;
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

  /** `build` is called when the read is handed out, or could be; null withdraws it. */
  delta(build: () => WithoutId<DeltaRead> | null, done: (result: Result<'delta'>) => void): void {
    const whenDone = (result: StorageReadResult): void => {
      if (result.kind === 'delta') done(result);
    };
    this.orderedWaiting.push({ build, done: whenDone });
  }

  page(build: () => WithoutId<PageRead> | null, done: (result: Result<'page'>) => void): void {
    const whenDone = (result: StorageReadResult): void => {
      if (result.kind === 'page') done(result);
    };
    this.orderedWaiting.push({ build, done: whenDone });
  }

  digests(build: () => WithoutId<DigestRead> | null, done: (result: Result<'digests'>) => void): void {
    const whenDone = (result: StorageReadResult): void => {
      if (result.kind === 'digests') done(result);
    };
    this.orderedWaiting.push({ build, done: whenDone });
  }

  take(): StorageRead[] {
    const reads: StorageRead[] = [];
    while (this.rowReads.length > 0) reads.push(this.takeRows());
    for (const build of this.gathered) reads.push(build(this.nextId++));
    this.gathered = [];
    while (!this.isPassing && this.takeOrdered(this.passesWaiting, reads));
    while (this.takeOrdered(this.orderedWaiting, reads));
    return reads;
  }

  /** False where there is none, or no room for one. */
  private takeOrdered(queue: OrderedRead[], reads: StorageRead[]): boolean {
    if (this.orderedUnderWay >= ORDERED_MAX) return false;
    const ordered = queue.shift();
    if (ordered === undefined) return false;
    const built = ordered.build();
    if (built === null) return true;
    const read: StorageRead = { ...built, id: this.nextId };
    const passes = isPass(read);
    if (passes && this.isPassing) {
      this.passesWaiting.push(ordered);
      return true;
    }
    this.nextId += 1;
    this.orderedUnderWay += 1;
    if (passes) this.isPassing = true;
    this.waiting.set(read.id, (result) => {
      this.orderedUnderWay -= 1;
      if (passes) this.isPassing = false;
      ordered.done(result);
    });
    reads.push(read);
    return true;
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
