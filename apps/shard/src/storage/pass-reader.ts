/**
 * Reads of what is past a base, which may pass all rows of a generation: millions, for seconds or minutes. They stand in the
 * writer's queue only for as long as it takes to begin a snapshot on a connection of their own. That snapshot is the state
 * after the transactions before and before the next one, as the core demands, however long it is read afterwards; and it is
 * read in short steps, so that neither connection ever looks like that of a database which is lost.
 */
import type { DeltaRead, PageRead, StorageReadResult } from '@ringleader/paxos';
import type { HotConnection } from '@ringleader/postgres';
import { readDelta, readPage, type StepSize } from './range-reader.js';

/** The first statement takes the snapshot. */
const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1';

/** A step may find the disk slower than the one before: that, too, must take less than `RINGLEADER_POSTGRES_STALL_MS`. */
const STEP_ROWS = { min: 16, first: 128, max: 1_024 };
const STEP_MS = { min: 25, max: 100 };

export class PassReader {
  constructor(
    private readonly writer: Pick<HotConnection, 'hold'>,
    private readonly connection: HotConnection,
  ) {}

  /** The core has one under way: another would keep the writer waiting for the connection. */
  async read(read: DeltaRead | PageRead): Promise<StorageReadResult> {
    await this.writer.hold(() => this.connection.runOnce(BEGIN));
    const step = new AdaptingStep();
    const result =
      read.kind === 'delta'
        ? await readDelta(this.connection, read, step)
        : await readPage(this.connection, read, step);
    await this.connection.runOnce('COMMIT');
    return result;
  }
}

/** Rows may be short or long, and in memory or on a slow disk: found out from few. */
class AdaptingStep implements StepSize {
  rows = STEP_ROWS.first;

  took(ms: number): void {
    if (ms > STEP_MS.max) this.rows = Math.max(STEP_ROWS.min, Math.floor(this.rows / 2));
    else if (ms < STEP_MS.min) this.rows = Math.min(STEP_ROWS.max, this.rows * 2);
  }
}
