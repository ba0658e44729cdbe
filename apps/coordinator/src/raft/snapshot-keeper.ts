/** Takes a snapshot of the state machine when the log has grown enough, and lets the log forget what it covers. */
import type { LogSnapshot, LogStorage } from '@ringleader/log-storage';
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

export class SnapshotKeeper {
  readonly #storage: LogStorage;
  readonly #settings: RaftSettings;
  #entriesSince = 0;
  #bytesSince = 0;
  #isTaking = false;

  constructor(storage: LogStorage, settings: RaftSettings) {
    this.#storage = storage;
    this.#settings = settings;
  }

  get isDue(): boolean {
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#settings;
    if (this.#isTaking || !this.#storage.hasRoom) return false;
    return this.#entriesSince >= snapshotEveryEntries || this.#bytesSince >= snapshotEveryBytes;
  }

  countApplied(entry: Entry): void {
    this.#entriesSince += 1;
    this.#bytesSince += entrySizeBytes(entry);
  }

  /** Copies the pieces at once, then writes them while the member goes on. Null where there is no room: it stays due. */
  async take(at: SnapshotStart, pieces: Iterable<Uint8Array>): Promise<FinishedSnapshot | null> {
    this.#isTaking = true;
    const [entries, bytes] = [this.#entriesSince, this.#bytesSince];
    const chunks = Array.from(pieces, (piece) => new Uint8Array(piece));
    if (chunks.length === 0) chunks.push(new Uint8Array());
    const { index, term } = at;
    const snapshot: LogSnapshot = {
      index,
      term,
      configuration: encodeConfiguration(at.configuration),
      chunks,
    };
    const outcome = await this.#storage.saveSnapshot(snapshot);
    this.#isTaking = false;
    if (outcome === 'noRoom') return null;
    this.#entriesSince -= entries;
    this.#bytesSince -= bytes;
    const compactTo = Math.max(0, index - this.#settings.trailingEntries);
    await this.#storage.compact(compactTo);
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    return { index, sizeBytes, compactTo };
  }
}
