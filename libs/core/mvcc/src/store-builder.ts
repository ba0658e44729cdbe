import { MalformedBytesError, compareKeys } from '@ringleader/primitives';
import { ChangeLog } from './change-log.js';
import type { Change } from './change-log.js';
import type { LeaseId, SizeLimit, StoreRevision } from './commands.js';
import { KeyIndex } from './key-index.js';
import { type State, isLive } from './key-values.js';
import { type Lease, LeaseTable, type WantedGrant } from './lease-table.js';
import type { StoreRules } from './rules.js';
import type { Entry } from './sorted-entries.js';
import { StateHash } from './state-hash.js';
import { MvccStore } from './store.js';

/** Makes a store of what a snapshot has: the keys in order, each with its states. Whatever cannot be so is malformed. */
export class StoreBuilder {
  readonly #index = new KeyIndex();
  readonly #leases: LeaseTable;
  readonly #hash = new StateHash();
  /** What each revision behind the compacted one changed; the keys come in order, so these do. */
  readonly #changes: Change[][] = [];
  /** The last key, of which more states may come. */
  #entry: Entry | null = null;

  constructor(
    private readonly head: {
      readonly revision: StoreRevision;
      readonly compacted: StoreRevision;
      readonly lastGranted: LeaseId;
      readonly leases: readonly Lease[];
      readonly sizeLimit: SizeLimit;
      readonly wantedGrants: number;
      readonly grants: readonly WantedGrant[];
    },
    private readonly rules: StoreRules,
  ) {
    if (head.compacted > head.revision) throw new MalformedBytesError('what is to come is compacted');
    this.#leases = new LeaseTable(head.lastGranted, head.wantedGrants);
    const grants = new Map(head.grants.map(({ lease, grant }) => [lease, grant]));
    for (const lease of head.leases) {
      if (lease.lease === 0 || this.#leases.has(lease.lease)) throw new MalformedBytesError('a lease twice');
      this.#leases.restore(lease, grants.get(lease.lease) ?? 0);
    }
  }

  /** The next states of a key: of the last one, or of one behind it. */
  add(key: string, states: readonly State[]): void {
    if (this.#entry === null || this.#entry.key !== key) {
      if (this.#entry !== null && compareKeys(this.#entry.key, key) >= 0) {
        throw new MalformedBytesError('keys do not ascend');
      }
      this.#closeEntry();
      this.#entry = { key, states: [] };
    }
    for (const state of states) {
      this.#note(state, this.#entry.states.at(-1));
      this.#entry.states.push(state);
    }
  }

  finish(): MvccStore {
    this.#closeEntry();
    const { revision, compacted, sizeLimit } = this.head;
    const log = new ChangeLog(compacted, this.#hash);
    for (let next = compacted + 1; next <= revision; next++) {
      const changes = this.#changes[next - compacted - 1];
      if (changes === undefined) throw new MalformedBytesError(`no change at revision ${next}`);
      log.append(next, changes);
    }
    return new MvccStore({ index: this.#index, leases: this.#leases, log, sizeLimit }, this.rules);
  }

  #closeEntry(): void {
    if (this.#entry === null) return;
    const { key, states } = this.#entry;
    const newest = states.at(-1);
    if (newest === undefined) throw new MalformedBytesError('a key without states');
    if (newest.lease !== 0 && !this.#leases.has(newest.lease))
      throw new MalformedBytesError('a lease is missing');
    // A copy: what has grown by `push` has room for many more.
    this.#index.restore({ key, states: states.slice() });
    this.#leases.attach(key, newest.lease);
  }

  #note(state: State, previous: State | undefined): void {
    const { revision, compacted } = this.head;
    if (state.modRevision > revision || state.modRevision <= (previous?.modRevision ?? 0)) {
      throw new MalformedBytesError('revisions of a key do not ascend');
    }
    if (state.modRevision <= compacted) {
      if (isLive(state)) this.#hash.add(state);
      return;
    }
    const change = { state, previous: isLive(previous) ? previous : undefined };
    const at = state.modRevision - compacted - 1;
    const changes = this.#changes[at];
    if (changes === undefined) this.#changes[at] = [change];
    else changes.push(change);
  }
}
