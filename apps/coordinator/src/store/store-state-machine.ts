import { MvccStore, SnapshotReader, decodeCommand, snapshotOf } from '@ringleader/mvcc';
import type { CommandResult } from '@ringleader/mvcc';
import type { CommittedCommand, StateMachine } from '../raft/raft-node.js';

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

  /** The store as it is at this call, in chunks that may be taken while further commands are applied. */
  snapshot(): Iterable<Uint8Array> {
    return snapshotOf(this.#store);
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const reader = new SnapshotReader();
    for await (const chunk of chunks) reader.push(chunk);
    this.#store = reader.finish();
    this.#notify(null);
  }

  #notify(result: CommandResult | null): void {
    for (const listener of [...this.#listeners]) listener(result);
  }
}
