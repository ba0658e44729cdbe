/** Writes the batches of the core to the log. Where the disk has no room, the core is told, and what can be written is. */
import type { LogBatch, LogStorage } from '@ringleader/log-storage';
import type { PersistBatch, RaftMember } from '@ringleader/raft';
import { toStoredSnapshot } from './stored-snapshot.js';

export class LogWriter {
  readonly #member: RaftMember;
  readonly #storage: LogStorage;
  #isEnded = false;
  #goOn: () => void = () => undefined;

  /** `onRoom` is called when the disk is found full, and when it has room again; the core knows by then. */
  constructor(member: RaftMember, storage: LogStorage, onRoom: (hasRoom: boolean) => void) {
    this.#member = member;
    this.#storage = storage;
    if (!storage.hasRoom) member.setRoom(false);
    storage.onRoom((hasRoom) => {
      member.setRoom(hasRoom);
      if (hasRoom) this.#goOn();
      onRoom(hasRoom);
    });
  }

  /** Until it is on disk, or, without room, until all of it is that counts then: only the end stops it. */
  async write(batch: PersistBatch): Promise<void> {
    if ((await this.#storage.append(toStored(batch))) === 'noRoom' && !(await this.#writeRest(batch.id)))
      return;
    this.#member.persisted(batch.id);
  }

  end(): void {
    this.#isEnded = true;
    this.#goOn();
  }

  /** False when it ended before there was room even for that. */
  async #writeRest(id: number): Promise<boolean> {
    const rest = toStored(this.#member.withoutRoom(id));
    while (!this.#isEnded) {
      if ((await this.#storage.append(rest)) === 'written') return true;
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

function toStored(batch: PersistBatch): LogBatch {
  return { ...batch, snapshot: batch.snapshot === null ? null : toStoredSnapshot(batch.snapshot) };
}
