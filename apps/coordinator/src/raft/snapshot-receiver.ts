/**
 * Chunks of a leader's snapshot are written as they come; the core gets them with their places in the stead of their bytes, and so
 * acknowledges what is written. It decides what becomes of them: here they only wait to be asked for.
 */
import type { LogStorage, SnapshotWriter } from '@ringleader/log-storage';
import { invariant } from '@ringleader/primitives';
import type { RaftMember, SnapshotChunk, SnapshotPoint } from '@ringleader/raft';

/** Of chunks that wait for the disk: more are lost, and sent again. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

export class SnapshotReceiver {
  readonly #member: RaftMember;
  readonly #storage: LogStorage;
  /** With what is written of it. */
  readonly #deliver: (message: SnapshotChunk) => void;
  #incoming: { readonly name: string; readonly writer: SnapshotWriter } | null = null;
  /** Whole, by their points: the core may install them. */
  readonly #whole = new Map<string, SnapshotWriter>();
  #queue = Promise.resolve();
  #waitingBytes = 0;

  constructor(member: RaftMember, storage: LogStorage, deliver: (message: SnapshotChunk) => void) {
    this.#member = member;
    this.#storage = storage;
    this.#deliver = deliver;
  }

  take(message: SnapshotChunk): Promise<void> {
    const { byteLength } = message.data;
    if (this.#waitingBytes + byteLength > WAITING_BYTES_MAX) return Promise.resolve();
    this.#waitingBytes += byteLength;
    this.#queue = this.#queue.then(async () => {
      this.#waitingBytes -= byteLength;
      await this.#write(message);
    });
    return this.#queue;
  }

  /** Of a snapshot that the core has installed: it is the caller's from now on. */
  claim(point: SnapshotPoint): SnapshotWriter {
    const writer = this.#whole.get(nameOf(point));
    invariant(writer !== undefined, 'a snapshot is installed whose chunks are not here');
    this.#whole.delete(nameOf(point));
    if (this.#incoming?.writer === writer) this.#incoming = null;
    return writer;
  }

  /** The log has gone past a snapshot that came, or part of one: the leader after that had the entries themselves. */
  tidy(): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const { snapshotIndex } = this.#member.status();
      const kept = this.#incoming === null ? [] : [this.#incoming.writer];
      const outrun = new Set(
        [...kept, ...this.#whole.values()].filter(({ point }) => point.index < snapshotIndex),
      );
      for (const writer of outrun) {
        if (this.#incoming?.writer === writer) this.#incoming = null;
        this.#whole.delete(nameOf(writer.point));
        await this.#storage.discard(writer);
      }
    });
    return this.#queue;
  }

  /** When nothing comes any more. */
  async end(): Promise<void> {
    // What failed in it was told to who brought it.
    await Promise.allSettled([this.#queue]);
    if (this.#incoming !== null) this.#whole.set('', this.#incoming.writer);
    for (const writer of this.#whole.values()) await writer.discard();
  }

  async #write(message: SnapshotChunk): Promise<void> {
    const { commitIndex, term, isDiskFull } = this.#member.status();
    if (isDiskFull) return;
    if (message.point.index <= commitIndex || message.term < term) {
      // The core only answers.
      this.#deliver(message);
      return;
    }
    const writer = await this.#writerFor(message);
    const { chunkIndex, chunkCount, data } = message;
    if (!writer.has(chunkIndex)) {
      const bytes = data instanceof Uint8Array ? data : new Uint8Array();
      if ((await this.#storage.addChunk(writer, chunkIndex, bytes)) === 'noRoom') {
        this.#incoming = null;
        await this.#storage.discard(writer);
        return;
      }
      if (writer.chunkCount === chunkCount) await this.#complete(writer);
    }
    this.#deliver({ ...message, data: { byteLength: data.byteLength } });
  }

  /** Another leader's of the same point is the same. */
  async #complete(writer: SnapshotWriter): Promise<void> {
    const name = nameOf(writer.point);
    const former = this.#whole.get(name);
    this.#whole.set(name, writer);
    if (former !== undefined) await this.#storage.discard(former);
  }

  /** Two leaders may cut differently, and the same one in another term: their chunks never mix. */
  async #writerFor({ from, term, point, chunkCount }: SnapshotChunk): Promise<SnapshotWriter> {
    const name = [from, term, nameOf(point), chunkCount].join(' ');
    if (this.#incoming?.name === name) return this.#incoming.writer;
    if (this.#incoming !== null) await this.#forget(this.#incoming.writer);
    const writer = this.#storage.receiveSnapshot(point);
    this.#incoming = { name, writer };
    return writer;
  }

  /** One that is whole may still be claimed, unless the log has gone past it. */
  async #forget(writer: SnapshotWriter): Promise<void> {
    const name = nameOf(writer.point);
    const isWhole = this.#whole.get(name) === writer;
    if (isWhole && writer.point.index >= this.#member.status().snapshotIndex) return;
    if (isWhole) this.#whole.delete(name);
    await this.#storage.discard(writer);
  }
}

function nameOf({ index, term }: SnapshotPoint): string {
  return `${String(index)}-${String(term)}`;
}
