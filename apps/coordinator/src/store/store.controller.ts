/** The store over NATS: reads and transactions. */
import { Controller } from '@nestjs/common';
import {
  COORDINATOR_TXN_OPERATIONS_MAX,
  OperationalError,
  coordinatorContracts,
  compactedError,
} from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { ANSWER_BYTES_MAX, isReadOnly, plainRead, refusalOf, utf8Length } from '@ringleader/mvcc';
import type {
  Branches,
  CommandResult,
  KeyRange,
  MvccStore,
  Operation,
  ReadOptions,
  TxnCommand,
} from '@ringleader/mvcc';
import { Handles } from '@ringleader/nats';
import { invariant } from '@ringleader/primitives';
import { ReplicatedStore } from './replicated-store.service.js';
import {
  futureRevision,
  toBranches,
  toKeyRange,
  toOperationalError,
  toReadOptions,
  toWireItem,
  toWireResults,
} from './wire.js';
import { refuseForeignWrites } from './write-access.js';

const { range, txn } = coordinatorContracts;

/** Of all keys and values in one request: the command must fit into one Raft frame. */
const REQUEST_BYTES_MAX = 1_048_576;
/**
 * Keys that a transaction may look at: each member looks at them in one go, half a second for so many, and many ranges of many
 * keys would stop all of them for minutes.
 */
const KEYS_LOOKED_AT_MAX = 2_000_000;
/**
 * Keys that a transaction may delete: each member does it in one go, a fifth of a second for so many, and a leader that is
 * silent for longer than an election takes is one no more. In parts it would not be one revision: who wants that sends parts.
 */
const KEYS_DELETED_MAX = 50_000;

@Controller()
export class StoreController {
  constructor(private readonly store: ReplicatedStore) {}

  @Handles(range)
  async range(request: RequestOf<typeof range>): Promise<ResponseOf<typeof range>> {
    if (request.serializable !== true) await this.store.readBarrier();
    const outcome = this.store.local.range({
      ...toKeyRange(request),
      ...toReadOptions(request),
      sizeBytesMax: ANSWER_BYTES_MAX,
    });
    switch (outcome.kind) {
      case 'compacted':
        throw compactedError(request.revision ?? 0, outcome.compactedRevision);
      case 'futureRevision':
        throw request.serializable === true ? notHereYet(outcome.revision) : futureRevision(outcome.revision);
      case 'range': {
        const { revision, items, count, more } = outcome;
        return { revision, items: items.map((item) => toWireItem(item, request.values)), count, more };
      }
    }
  }

  @Handles(txn)
  async txn(request: RequestOf<typeof txn>, speaker: Speaker): Promise<ResponseOf<typeof txn>> {
    refuseForeignWrites(speaker, request);
    const command: TxnCommand = { kind: 'txn', ...toBranches(request) };
    refuseInvalid(command, this.store.local);
    const result = await this.#carryOut(command);
    if (result.kind === 'rejected') throw toOperationalError(result.rejection);
    invariant(result.kind === 'txn', 'a transaction has a transaction’s result');
    const { revision, succeeded, results } = result;
    const taken = command[succeeded ? 'success' : 'failure'];
    return { revision, succeeded, results: toWireResults(taken, results, request.values) };
  }

  /** What changes nothing in either branch needs no place in the log. */
  async #carryOut(command: TxnCommand): Promise<CommandResult> {
    if (!isReadOnly(command)) return this.store.propose(command);
    await this.store.readBarrier();
    return this.store.local.evaluate(command);
  }
}

/** Without the barrier it may only be this member that has not got so far. */
function notHereYet(revision: number): OperationalError {
  return new OperationalError('UNAVAILABLE', 'This member has not reached the revision', { revision });
}

/** What can be seen before, by this member, needs no place in the log. */
function refuseInvalid(command: TxnCommand, local: MvccStore): void {
  const { operations, sizeBytes, keys, deleted } = extentOf(command, local);
  if (operations > COORDINATOR_TXN_OPERATIONS_MAX) {
    const details = { operations, operationsMax: COORDINATOR_TXN_OPERATIONS_MAX };
    throw new OperationalError('REQUEST_TOO_LARGE', 'The transaction has too many operations', details);
  }
  if (sizeBytes > REQUEST_BYTES_MAX) {
    throw new OperationalError(
      'REQUEST_TOO_LARGE',
      'The keys and values of the transaction are too long together',
      { sizeBytes, bytesMax: REQUEST_BYTES_MAX },
    );
  }
  if (keys > KEYS_LOOKED_AT_MAX) {
    const details = { keys, keysMax: KEYS_LOOKED_AT_MAX };
    throw new OperationalError(
      'REQUEST_TOO_LARGE',
      'The ranges of the transaction have too many keys',
      details,
    );
  }
  if (deleted > KEYS_DELETED_MAX) {
    const details = { keys: deleted, keysMax: KEYS_DELETED_MAX };
    const advice = 'The deletions of the transaction have too many keys: delete the range in parts';
    throw new OperationalError('REQUEST_TOO_LARGE', advice, details);
  }
  const refusal = refusalOf(command);
  if (refusal !== null) throw toOperationalError(refusal);
}

interface Extent {
  /** Comparisons count, too. */
  readonly operations: number;
  readonly sizeBytes: number;
  /** That are looked at. */
  readonly keys: number;
  readonly deleted: number;
}

/** Of all levels. */
function extentOf({ compare, success, failure }: Branches, local: MvccStore): Extent {
  const parts = [
    ...compare.map((one) =>
      extentOfRange(one, local, typeof one.operand === 'number' ? 0 : one.operand.length),
    ),
    ...[...success, ...failure].map((operation) => extentOfOperation(operation, local)),
  ];
  let [operations, sizeBytes, keys, deleted] = [0, 0, 0, 0];
  for (const part of parts) {
    operations += part.operations;
    sizeBytes += part.sizeBytes;
    keys += part.keys;
    deleted += part.deleted;
  }
  return { operations, sizeBytes, keys, deleted };
}

function extentOfOperation(operation: Operation, local: MvccStore): Extent {
  switch (operation.kind) {
    case 'txn': {
      const { operations, ...nested } = extentOf(operation, local);
      return { operations: operations + 1, ...nested };
    }
    case 'put': {
      const sizeBytes = utf8Length(operation.key) + (operation.value?.length ?? 0);
      return { operations: 1, sizeBytes, keys: 0, deleted: 0 };
    }
    case 'delete': {
      const extent = extentOfRange(operation, local);
      return { ...extent, deleted: extent.keys };
    }
    case 'range': {
      const extent = extentOfRange(operation, local);
      return isPage(operation) ? { ...extent, keys: 0 } : extent;
    }
  }
}

function extentOfRange({ key, rangeEnd }: KeyRange, local: MvccStore, operandBytes = 0): Extent {
  const sizeBytes = utf8Length(key) + utf8Length(rangeEnd ?? '') + operandBytes;
  const extent = { operations: 1, sizeBytes, deleted: 0 };
  if (rangeEnd === null) return { ...extent, keys: 1 };
  const counted = local.range({ ...plainRead, key, rangeEnd, countOnly: true });
  return { ...extent, keys: counted.kind === 'range' ? counted.count : 0 };
}

/** It is read from its beginning up to its limit, and no further. */
function isPage(read: ReadOptions): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = read;
  const bounds = minModRevision + maxModRevision + minCreateRevision + maxCreateRevision;
  return read.sortBy === 'key' && read.revision === 0 && bounds === 0;
}
