/** Replays batches into the log they amount to, and keeps of it what continues the newest snapshot. */
import type { StoredBatch } from './batch-codec.js';
import { corruptLog } from './storage-errors.js';
import type { LogEntry, LogHardState, LogPoint } from './types.js';

export interface AssembledLog {
  readonly hardState: LogHardState;
  readonly entries: readonly LogEntry[];
  /** The snapshot is from another member, and a crash prevented its record: the log that it replaced does not continue it. */
  readonly isReplaced: boolean;
}

/** `directory` only for the message of an error. */
export function assembleLog(
  batches: readonly StoredBatch[],
  snapshot: LogPoint,
  directory: string,
): AssembledLog {
  const assembly = new Assembly(directory);
  for (const batch of batches) assembly.replay(batch);
  const entries = assembly.entriesAfter(snapshot);
  return { hardState: assembly.hardState, entries: entries ?? [], isReplaced: entries === null };
}

class Assembly {
  hardState: LogHardState = { term: 0, vote: 0, commit: 0 };
  readonly #directory: string;
  #entries: LogEntry[] = [];
  /** The point before the first entry; null until it is known. Its term is null where the segment that had it is gone. */
  #base: { readonly index: number; readonly term: number | null } | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  replay(batch: StoredBatch): void {
    this.hardState = batch.hardState;
    if (batch.base.index > 0) {
      this.#base = batch.base;
      this.#entries = [];
    }
    const first = batch.entries[0];
    if (first === undefined) return;
    if (this.#base === null || (this.#base.term === null && first.index <= this.#base.index)) {
      // A snapshot has what came before, also where that was written over after its segment was full, and is gone with it.
      this.#base = { index: first.index - 1, term: first.index === 1 ? 0 : null };
      this.#entries = [];
    }
    const keep = first.index - 1 - this.#base.index;
    if (keep < 0 || keep > this.#entries.length) {
      throw this.#corrupt(`the entries before ${String(first.index)} are missing`);
    }
    this.#entries.length = keep;
    for (const entry of batch.entries) this.#entries.push(entry);
  }

  /** Null where they do not continue it. */
  entriesAfter(snapshot: LogPoint): LogEntry[] | null {
    const base = this.#base ?? { index: 0, term: 0 };
    if (snapshot.index < base.index) {
      throw this.#corrupt(
        `the log begins after ${String(base.index)}, but the newest snapshot ends at ${String(snapshot.index)}`,
      );
    }
    const covered = snapshot.index - base.index;
    const term = covered === 0 ? base.term : this.#entries[covered - 1]?.term;
    if (term === null) {
      throw this.#corrupt(`the entry ${String(snapshot.index)}, at which the snapshot ends, is missing`);
    }
    return term === snapshot.term ? this.#entries.slice(covered) : null;
  }

  #corrupt(reason: string): Error {
    return corruptLog({ file: this.#directory, offset: 0, reason });
  }
}
