/** Reads the chunks of the newest snapshot one by one, as the core asks for them. */
import type { LogStorage, SnapshotFile } from '@ringleader/log-storage';
import { invariant } from '@ringleader/primitives';
import type { RaftMember, Seated, SnapshotChunk } from '@ringleader/raft';
import { configurationIn } from './stored-snapshot.js';

export class SnapshotSender {
  readonly #member: RaftMember;
  readonly #storage: LogStorage;
  readonly #founders: readonly Seated[];
  /** Stays open, so that it can be read to its end when a newer one has taken its place. */
  #file: SnapshotFile | null = null;
  #isProviding = false;
  #queue = Promise.resolve();

  constructor(member: RaftMember, storage: LogStorage, founders: readonly Seated[]) {
    this.#member = member;
    this.#storage = storage;
    this.#founders = founders;
  }

  get isProviding(): boolean {
    return this.#isProviding;
  }

  async provide(): Promise<void> {
    this.#isProviding = true;
    await this.close();
    const file = await this.#storage.openNewestSnapshot();
    invariant(file !== null, 'a log that is compacted has a snapshot');
    this.#file = file;
    this.#isProviding = false;
    const { index, term, chunks } = file;
    this.#member.provideSnapshot({
      index,
      term,
      chunks,
      configuration: configurationIn(file, this.#founders),
    });
  }

  /** In their order; what belongs to another snapshot is lost, as on the network. */
  send(message: SnapshotChunk, deliver: (message: SnapshotChunk) => void): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const file = this.#file;
      const isOfIt = file?.index === message.point.index && file.term === message.point.term;
      const chunk = isOfIt ? file.chunks[message.chunkIndex] : undefined;
      if (chunk !== undefined) deliver({ ...message, data: await chunk.read() });
    });
    return this.#queue;
  }

  /** Nobody is being sent it any more: it is to be closed, as it may be gone from the folder, but not yet from the disk. */
  get isDone(): boolean {
    return this.#file !== null && !this.#isProviding && !this.#member.isSendingSnapshot;
  }

  close(): Promise<void> {
    const close = async (): Promise<void> => {
      const file = this.#file;
      this.#file = null;
      await file?.close();
    };
    // Also after a chunk that could not be read, of which its sender was told.
    this.#queue = this.#queue.then(close, close);
    return this.#queue;
  }
}
