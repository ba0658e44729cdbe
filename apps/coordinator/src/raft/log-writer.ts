/** Writes the batches of the core to the log. Where the disk has no room, the core is told, and what can be written is. */
import type { LogBatch, LogStorage } from '@ringleader/log-storage';
import { encodeConfiguration, type PersistBatch, type RaftMember } from '@ringleader/raft';
import type { SnapshotReceiver } from './snapshot-receiver.js';

export class LogWriter {
  readonly #member: RaftMember;
  readonly #storage: LogStorage;
  readonly #receiver: SnapshotReceiver;
  #isEnded = false;
  #goOn: () => void = () => undefined;

  constructor(member: RaftMember, storage: LogStorage, receiver: SnapshotReceiver) {
    this.#member = member;
    this.#storage = storage;
    this.#receiver = receiver;
    if (!storage.hasRoom) member.setRoom(false);
    storage.onRoom((hasRoom) => {
      member.setRoom(hasRoom);
      if (hasRoom) this.#goOn();
    });
  }

  /** Until it is on disk, or, without room, until all of it is that counts then: only the end stops it. */
  async write({ id, hardState, entries, snapshot: installed }: PersistBatch): Promise<void> {
    const snapshot = installed === null ? null : this.#claim(installed);
    const outcome = await this.#storage.append({ hardState, entries, snapshot });
    if (outcome === 'noRoom' && !(await this.#writeRest(id, snapshot))) return;
    this.#member.persisted(id);
    if (installed !== null) await this.#receiver.tidy();
  }

  end(): void {
    this.#isEnded = true;
    this.#goOn();
  }

  #claim(snapshot: NonNullable<PersistBatch['snapshot']>): NonNullable<LogBatch['snapshot']> {
    const configuration = encodeConfiguration(snapshot.configuration);
    return { writer: this.#receiver.claim(snapshot), configuration };
  }

  /** False when it ended before there was room even for that. */
  async #writeRest(id: number, snapshot: LogBatch['snapshot']): Promise<boolean> {
    const { hardState, entries } = this.#member.withoutRoom(id);
    while (!this.#isEnded) {
      if ((await this.#storage.append({ hardState, entries, snapshot })) === 'written') return true;
      await this.#room();
    }
    return false;
  }

  #room(): Promise<void> {
    if (this.#isEnded || this.#storage.hasRoom) return Promise.resolve();
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }
}
