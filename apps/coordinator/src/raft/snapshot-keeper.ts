/** Takes a snapshot of the state machine when the log has grown enough, and lets the log forget what it covers. */
import type { LogStorage } from '@ringleader/log-storage';
import { encodeConfiguration, type Entry, entrySizeBytes, type RaftMember } from '@ringleader/raft';
import type { RaftNodeEvent } from './raft-events.js';
import type { RaftSettings, StateMachine } from './raft-node.js';

export interface SnapshotKeeperParts {
  readonly member: RaftMember;
  readonly storage: LogStorage;
  readonly stateMachine: Pick<StateMachine<unknown>, 'snapshot'>;
  readonly settings: RaftSettings;
  readonly onEvent: (event: RaftNodeEvent) => void;
}

/** A snapshot is written whole: before the log has so large a part of its size, reading the log is cheaper. */
const PART_OF_LAST = 1 / 4;
/** More sizes than are needed are thrown away so many at a time. */
const SURPLUS_MAX = 1_000;

export class SnapshotKeeper {
  readonly #parts: SnapshotKeeperParts;
  #entriesSince = 0;
  #bytesSince = 0;
  #lastSizeBytes = 0;
  /** Of the entries that were applied last, the newest at the end. */
  readonly #sizes: number[] = [];
  #isTaking = false;

  constructor(parts: SnapshotKeeperParts) {
    this.#parts = parts;
  }

  get isDue(): boolean {
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#parts.settings;
    if (this.#isTaking || !this.#parts.storage.hasRoom) return false;
    if (this.#bytesSince < this.#lastSizeBytes * PART_OF_LAST) return false;
    return this.#entriesSince >= snapshotEveryEntries || this.#bytesSince >= snapshotEveryBytes;
  }

  countApplied(entry: Entry): void {
    this.#entriesSince += 1;
    const sizeBytes = entrySizeBytes(entry);
    this.#bytesSince += sizeBytes;
    this.#sizes.push(sizeBytes);
    const surplus = this.#sizes.length - this.#parts.settings.trailingEntries;
    if (surplus >= SURPLUS_MAX) this.#sizes.splice(0, surplus);
  }

  /** How many entries stay behind a snapshot that is taken now. Nothing is known of the size of those before the last start. */
  get #trailing(): number {
    const { trailingEntries, trailingBytes } = this.#parts.settings;
    let bytes = 0;
    for (let kept = 0; kept < trailingEntries; kept += 1) {
      bytes += this.#sizes.at(-1 - kept) ?? 0;
      if (bytes > trailingBytes) return kept;
    }
    return trailingEntries;
  }

  /** Of the state as it is at this call: written piece by piece, while the member goes on. */
  async take(): Promise<void> {
    const { member, stateMachine, storage, onEvent } = this.#parts;
    const index = member.status().appliedIndex;
    const term = member.termAt(index);
    // The log has given way to a snapshot of the leader's, which is not applied yet: it is still due then.
    if (term === null) return;
    this.#isTaking = true;
    const [entries, bytes] = [this.#entriesSince, this.#bytesSince];
    const compactTo = Math.max(0, index - this.#trailing);
    const configuration = encodeConfiguration(member.configurationAt(index));
    const pieces = new CountedPieces(stateMachine.snapshot());
    const outcome = await storage.saveSnapshot({ index, term, configuration, chunks: pieces });
    this.#isTaking = false;
    // It stays due.
    if (outcome === 'noRoom') return;
    this.#entriesSince -= entries;
    this.#bytesSince -= bytes;
    this.#lastSizeBytes = pieces.sizeBytes;
    await storage.compact(compactTo);
    member.compact(compactTo);
    onEvent({ kind: 'snapshotTaken', index, sizeBytes: pieces.sizeBytes });
  }
}

/** Knows how large they were. */
class CountedPieces implements Iterable<Uint8Array> {
  sizeBytes = 0;

  constructor(private readonly pieces: Iterable<Uint8Array>) {}

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (const piece of this.pieces) {
      this.sizeBytes += piece.byteLength;
      yield piece;
    }
  }
}
