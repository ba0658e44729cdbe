/** Takes a snapshot of the state machine when the log has grown enough, and lets the log forget what it covers. */
import type { LogStorage } from '@ringleader/log-storage';
import {
  type Configuration,
  encodeConfiguration,
  type Entry,
  entrySizeBytes,
  type SnapshotPoint,
} from '@ringleader/raft';
import type { RaftSettings } from './raft-node.js';

export interface FinishedSnapshot {
  readonly index: number;
  readonly sizeBytes: number;
  /** Up to here the log may be forgotten. */
  readonly compactTo: number;
}

/** What a snapshot says of the log. */
export interface SnapshotStart extends SnapshotPoint {
  readonly configuration: Configuration;
}

/** A snapshot is written whole: before the log has so large a part of its size, reading the log is cheaper. */
const PART_OF_LAST = 1 / 4;

export class SnapshotKeeper {
  readonly #storage: LogStorage;
  readonly #settings: RaftSettings;
  #entriesSince = 0;
  #bytesSince = 0;
  #lastSizeBytes = 0;
  #isTaking = false;

  constructor(storage: LogStorage, settings: RaftSettings) {
    this.#storage = storage;
    this.#settings = settings;
  }

  get isDue(): boolean {
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#settings;
    if (this.#isTaking || !this.#storage.hasRoom) return false;
    if (this.#bytesSince < this.#lastSizeBytes * PART_OF_LAST) return false;
    return this.#entriesSince >= snapshotEveryEntries || this.#bytesSince >= snapshotEveryBytes;
  }

  countApplied(entry: Entry): void {
    this.#entriesSince += 1;
    this.#bytesSince += entrySizeBytes(entry);
  }

  /** Writes the pieces one by one, while the member goes on. Null where there is no room: it stays due. */
  async take(at: SnapshotStart, pieces: Iterable<Uint8Array>): Promise<FinishedSnapshot | null> {
    this.#isTaking = true;
    const [entries, bytes] = [this.#entriesSince, this.#bytesSince];
    const { index, term } = at;
    const configuration = encodeConfiguration(at.configuration);
    let sizeBytes = 0;
    function* counted(): Generator<Uint8Array> {
      for (const piece of pieces) {
        sizeBytes += piece.byteLength;
        yield piece;
      }
    }
    const outcome = await this.#storage.saveSnapshot({ index, term, configuration, chunks: counted() });
    this.#isTaking = false;
    if (outcome === 'noRoom') return null;
    this.#entriesSince -= entries;
    this.#bytesSince -= bytes;
    this.#lastSizeBytes = sizeBytes;
    const compactTo = Math.max(0, index - this.#settings.trailingEntries);
    await this.#storage.compact(compactTo);
    return { index, sizeBytes, compactTo };
  }
}
