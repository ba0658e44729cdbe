/** The replicated state machine of the simulation: the coordinator's store, in which texts by key only grow. */
import { MvccStore, plainRead, snapshotOf, storeOf } from '@ringleader/mvcc';
import type { ClientOperation } from './sim-messages.js';

type Append = Extract<ClientOperation, { op: 'append' }>;

/** What an entry carries: the operation, and by which run of which member it was proposed. */
export interface Command {
  readonly proposer: string;
  readonly id: number;
  readonly operation: Append;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeCommand(command: Command): Uint8Array {
  return encoder.encode(JSON.stringify(command));
}

export function decodeCommand(data: Uint8Array): Command {
  return JSON.parse(decoder.decode(data)) as Command;
}

/** So many revisions are kept, and so often it is looked after: all members compact at the same entries. */
const revisionsKept = 4;
const compactEveryRevisions = 8;

export class ReplicatedStore {
  #store = new MvccStore();

  get(key: string): string {
    const read = this.#store.range({ ...plainRead, key, rangeEnd: null });
    const value = read.kind === 'range' ? read.items[0]?.value : undefined;
    return decoder.decode(value);
  }

  apply({ key, value }: Append, term: number): void {
    const grown = encoder.encode(this.get(key) + value);
    const put = { kind: 'put', key, value: grown, lease: 0, wantsPrevious: false } as const;
    this.#store.apply({ kind: 'txn', compare: [], success: [put], failure: [] }, term);
    const { revision } = this.#store;
    if (revision % compactEveryRevisions === 0) {
      this.#store.apply({ kind: 'compact', revision: revision - revisionsKept }, term);
    }
  }

  snapshot(chunkBytes: number): Uint8Array[] {
    const bytes = Buffer.concat([...snapshotOf(this.#store)]);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
    return chunks;
  }

  restore(chunks: readonly Uint8Array[]): void {
    this.#store = storeOf(chunks);
  }

  /** Equal for equal states. */
  fingerprint(): string {
    const { revision, compactedRevision, presentHash, sizeBytes } = this.#store;
    return [revision, compactedRevision, sizeBytes, presentHash].join(' ');
  }
}
