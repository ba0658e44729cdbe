/** Replays batches into the log they amount to, and keeps of it what continues the newest snapshot. */
import type { StoredBatch } from './batch-codec.js';
import { corruptLog } from './storage-errors.js';
import type { LogEntry, LogHardState, LogPoint } from './types.js';

export interface AssembledLog {
  readonly hardState: LogHardState;
  readonly entries: readonly LogEntry[];
}

/** `directory` only for the message of an error. */
export function assembleLog(
  batches: readonly StoredBatch[],
  snapshot: LogPoint,
  directory: string,
): AssembledLog {
  const assembly = new Assembly(directory);
  for (const batch of batches) assembly.replay(batch);
  return { hardState: assembly.hardState, entries: assembly.entriesAfter(snapshot) };
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
    this.#base ??= { index: first.index - 1, term: first.index === 1 ? 0 : null };
    const keep = first.index - 1 - this.#base.index;
    if (keep < 0 || keep > this.#entries.length) {
      throw this.#corrupt(`the entries before ${String(first.index)} are missing`);
    }
    this.#entries.length = keep;
    for (const entry of batch.entries) this.#entries.push(entry);
  }

  entriesAfter(snapshot: LogPoint): LogEntry[] {
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
    // A snapshot from another member, whose record a crash prevented: the log it replaced does not continue it.
    return term === snapshot.term ? this.#entries.slice(covered) : [];
  }

  #corrupt(reason: string): Error {
    return corruptLog({ file: this.#directory, offset: 0, reason });
  }
}
