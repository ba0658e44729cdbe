/**
 * Who was found to differ from the majority, in the store itself, so that it outlives leaders and the member that ended: one
 * key for each, until that member is no member any more.
 */
import { Injectable } from '@nestjs/common';
import { CORRUPT_PREFIX, corruptKey, corruptSchema, prefixRange } from '@ringleader/contracts';
import type { Corrupt } from '@ringleader/contracts';
import type { Operation } from '@ringleader/mvcc';
import { allMembers } from '@ringleader/raft';
import { CoordinatorRaft } from '../raft/raft-node.js';
import { isAbsent, keysOf, putMetadata, readReadable } from '../store/metadata.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';

@Injectable()
export class CorruptionAlarms {
  constructor(
    private readonly raft: CoordinatorRaft,
    private readonly store: ReplicatedStore,
  ) {}

  /** As this member knows them, and can read them. */
  list(): Corrupt[] {
    const found = readReadable(this.store.local, prefixRange(CORRUPT_PREFIX), corruptSchema);
    return found.map(({ value }) => value);
  }

  has(id: string): boolean {
    return this.list().some((alarm) => alarm.id === id);
  }

  /** Whoever finds it says so; the first one counts. */
  async raise(alarm: Corrupt): Promise<void> {
    if (this.has(alarm.id)) return;
    const key = corruptKey(alarm.id);
    await this.store.propose({
      kind: 'txn',
      compare: [isAbsent(key)],
      success: [putMetadata(key, alarm)],
      failure: [],
    });
  }

  /** Those of members that have been replaced or removed. */
  async clearForgotten(): Promise<void> {
    const present = new Set(allMembers(this.raft.group().configuration).map(({ id }) => String(id)));
    // By their keys, which also those have that nobody can read.
    const keys = keysOf(this.store.local, prefixRange(CORRUPT_PREFIX));
    const forgotten = keys.filter((key) => !present.has(key.slice(CORRUPT_PREFIX.length)));
    if (forgotten.length === 0) return;
    const success = forgotten.map((key): Operation => {
      return { kind: 'delete', key, rangeEnd: null, wantsPrevious: false };
    });
    await this.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  }
}
