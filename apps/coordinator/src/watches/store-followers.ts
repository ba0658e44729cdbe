import { type WatchedEvent, encodeWatchedEvent } from '@ringleader/contracts';
import { type KeyRange, type MvccStore, type StoreChange, WatcherIndex } from '@ringleader/mvcc';
import { ByteWriter } from '@ringleader/primitives';

/** Who has seen all that there is, and must hear of each change in its range. */
export interface Follower extends KeyRange {
  /** Called for each change of its range, in order. May not add or delete followers. */
  see(revision: number, change: FollowedChange): void;
}

/** A change on its way to whoever follows: encoded once for all of them, and only if there are any. */
export class FollowedChange {
  #plain: Buffer | null = null;
  #withPrevious: Buffer | null = null;

  constructor(
    private readonly change: StoreChange,
    private readonly writer: ByteWriter,
  ) {}

  get kind(): WatchedEvent['kind'] {
    return this.change.kind;
  }

  encoded(wantsPrevious: boolean): Buffer {
    if (wantsPrevious) return (this.#withPrevious ??= this.#encode(true));
    return (this.#plain ??= this.#encode(false));
  }

  #encode(wantsPrevious: boolean): Buffer {
    return encodeWatchedEvent(this.writer, this.change.event(wantsPrevious));
  }
}

/** Tells followers of the store's changes: each change costs those whom it concerns, however many others there are. */
export class StoreFollowers {
  readonly #index = new WatcherIndex<Follower>();
  readonly #writer = new ByteWriter();
  readonly #onRevision: ((revision: number) => void)[] = [];
  #seen: number;

  /** The store is another one after a snapshot was installed. */
  constructor(private readonly store: () => MvccStore) {
    this.#seen = store().revision;
  }

  /** Followers have been told of all changes up to this revision. */
  get seen(): number {
    return this.#seen;
  }

  /** It must have seen all changes up to `seen`. */
  add(follower: Follower): void {
    this.#index.add(follower);
  }

  delete(follower: Follower): boolean {
    return this.#index.delete(follower);
  }

  /** Called when a revision has been shown to all whom it concerns. */
  onRevision(listener: (revision: number) => void): void {
    this.#onRevision.push(listener);
  }

  /** To be called after every command: later, its revision might be compacted. */
  advance(): void {
    const store = this.store();
    while (this.#seen < store.revision) {
      const revision = this.#seen + 1;
      if (this.#index.size > 0) this.#show(revision, store);
      this.#seen = revision;
      for (const listener of this.#onRevision) listener(revision);
    }
  }

  /** The store was replaced: what happened in between is to be looked up there by all who followed. */
  restart(): void {
    this.#seen = this.store().revision;
  }

  #show(revision: number, store: MvccStore): void {
    for (const change of store.changesAt(revision)) {
      const followed = new FollowedChange(change, this.#writer);
      this.#index.visit(change.key, (follower) => follower.see(revision, followed));
    }
  }
}
