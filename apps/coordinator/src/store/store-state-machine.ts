import { MvccStore, decodeCommand, decodeSnapshot, encodeSnapshot } from '@ringleader/mvcc';
import type { CommandResult } from '@ringleader/mvcc';
import type { CommittedCommand, StateMachine } from '../raft/raft-node.js';

const CHUNK_BYTES = 1_048_576;

/** `null` for a restored snapshot: anything may have changed. */
export type StoreListener = (result: CommandResult | null) => void;

/** The multi-version store as Raft's state machine, and the place where the rest of the process hears of its changes. */
export class StoreStateMachine implements StateMachine<CommandResult> {
  #store = new MvccStore();
  readonly #listeners = new Set<StoreListener>();

  /** Not to be kept: a restored snapshot replaces it. */
  get store(): MvccStore {
    return this.#store;
  }

  /** Called after every command. Returns the way to unsubscribe. */
  onChange(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply(entry: CommittedCommand): CommandResult {
    const result = this.#store.apply(decodeCommand(entry.command), entry.term);
    this.#notify(result);
    return result;
  }

  *snapshot(): Iterable<Uint8Array> {
    const bytes = encodeSnapshot(this.#store);
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
      yield bytes.subarray(start, start + CHUNK_BYTES);
  }

  restore(chunks: Iterable<Uint8Array>): void {
    this.#store = decodeSnapshot(Buffer.concat([...chunks]));
    this.#notify(null);
  }

  #notify(result: CommandResult | null): void {
    for (const listener of [...this.#listeners]) listener(result);
  }
}
