/** The replicated state machine of the simulation: the coordinator's store, in which besides texts by key can only grow. */
import {
  type Command,
  type CommandResult,
  decodeCommand as decodeStoreCommand,
  encodeCommand as encodeStoreCommand,
  MvccStore,
  plainRead,
  snapshotOf,
  storeOf,
} from '@ringleader/mvcc';
import type { DataRules } from './data/data-rules.js';
import type { LoggedOperation } from './sim-messages.js';

type Append = Extract<LoggedOperation, { op: 'append' }>;

/** What an entry carries: the operation, and by which run of which member it was proposed. */
export interface ProposedOperation {
  readonly proposer: string;
  readonly id: number;
  readonly operation: LoggedOperation;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const endOfHeader = 0x0a;

/** A line about whose it is; behind it, but for an append, the command in the store's own form. */
export function encodeProposed({ proposer, id, operation }: ProposedOperation): Uint8Array {
  if (operation.op === 'append') return encoder.encode(JSON.stringify({ proposer, id, operation }));
  const header = encoder.encode(`${JSON.stringify({ proposer, id })}\n`);
  return Buffer.concat([header, encodeStoreCommand(operation.command)]);
}

export function decodeProposed(data: Uint8Array): ProposedOperation {
  const end = data.indexOf(endOfHeader);
  const header = JSON.parse(decoder.decode(end < 0 ? data : data.subarray(0, end))) as ProposedOperation;
  if (end < 0) return header;
  const command = decodeStoreCommand(data.subarray(end + 1));
  return { ...header, operation: { op: 'command', command } };
}

/** The commands that an append stands for, in a store where the key has this text. */
export function putOf({ key, value }: Append, before: string): Command {
  const grown = encoder.encode(before + value);
  const put = { kind: 'put', key, value: grown, lease: 0, wantsPrevious: false } as const;
  return { kind: 'txn', compare: [], success: [put], failure: [] };
}

/** Where clients compact nothing, so many revisions are kept, and so often it is looked after: at the same entries everywhere. */
const revisionsKept = 4;
const compactEveryRevisions = 8;

export class ReplicatedStore {
  readonly #rules: DataRules;
  readonly #compactsItself: boolean;
  #store: MvccStore;

  constructor(rules: DataRules, compactsItself: boolean) {
    this.#rules = rules;
    this.#compactsItself = compactsItself;
    this.#store = new MvccStore(undefined, rules);
  }

  /** Not to be kept: a restored snapshot replaces it. */
  get store(): MvccStore {
    return this.#store;
  }

  get(key: string): string {
    const read = this.#store.range({ ...plainRead, key, rangeEnd: null });
    const value = read.kind === 'range' ? read.items[0]?.value : undefined;
    return decoder.decode(value);
  }

  apply(operation: LoggedOperation, term: number): CommandResult {
    if (operation.op === 'command') return this.#apply(operation.command, term);
    const result = this.#store.apply(putOf(operation, this.get(operation.key)), term);
    const { revision } = this.#store;
    if (this.#compactsItself && revision % compactEveryRevisions === 0) {
      this.#store.apply({ kind: 'compact', revision: revision - revisionsKept }, term);
    }
    return result;
  }

  snapshot(chunkBytes: number): Uint8Array[] {
    const bytes = Buffer.concat([...snapshotOf(this.#store)]);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
    return chunks;
  }

  restore(chunks: readonly Uint8Array[]): void {
    this.#store = storeOf(chunks, this.#rules);
  }

  /** Equal for equal states. */
  fingerprint(): string {
    const { revision, compactedRevision, presentHash, sizeBytes } = this.#store;
    return [revision, compactedRevision, sizeBytes, presentHash].join(' ');
  }

  #apply(command: Command, term: number): CommandResult {
    const store = this.#store;
    if (command.kind !== 'compact') return store.apply(command, term);
    const revision = this.#rules.compactedTo(command.revision, store.revision);
    return store.apply({ ...command, revision }, term);
  }
}
