/** The store over NATS: reads and transactions. */
import { Controller } from '@nestjs/common';
import {
  COORDINATOR_TXN_OPERATIONS_MAX,
  OperationalError,
  coordinatorContracts,
} from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { ANSWER_BYTES_MAX, isReadOnly, refusalOf, utf8Length } from '@ringleader/mvcc';
import type { Branches, CommandResult, TxnCommand } from '@ringleader/mvcc';
import { Handles } from '@ringleader/nats';
import { invariant } from '@ringleader/primitives';
import { ReplicatedStore } from './replicated-store.service.js';
import {
  compacted,
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
        throw compacted(outcome.compactedRevision);
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
    refuseInvalid(command);
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

/** What can be seen without the store needs no place in the log. */
function refuseInvalid(command: TxnCommand): void {
  const { operations, sizeBytes } = extentOf(command);
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
  const refusal = refusalOf(command);
  if (refusal !== null) throw toOperationalError(refusal);
}

/** Of all levels: comparisons count as operations. */
function extentOf({ compare, success, failure }: Branches): { operations: number; sizeBytes: number } {
  let operations = compare.length + success.length + failure.length;
  let sizeBytes = 0;
  for (const { key, rangeEnd, operand } of compare)
    sizeBytes +=
      utf8Length(key) + utf8Length(rangeEnd ?? '') + (typeof operand === 'number' ? 0 : operand.length);
  for (const operation of [...success, ...failure]) {
    if (operation.kind === 'txn') {
      const nested = extentOf(operation);
      operations += nested.operations;
      sizeBytes += nested.sizeBytes;
    } else {
      sizeBytes += utf8Length(operation.key);
      if (operation.kind === 'put') sizeBytes += operation.value?.length ?? 0;
      else sizeBytes += utf8Length(operation.rangeEnd ?? '');
    }
  }
  return { operations, sizeBytes };
}
