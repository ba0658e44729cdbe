/** The store over NATS: reads, transactions and watches. */
import { Controller } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { isReadOnly, plainRead, refusalOf, utf8Length } from '@ringleader/mvcc';
import type { Branches, CommandResult, TxnCommand } from '@ringleader/mvcc';
import { Handles } from '@ringleader/nats';
import { invariant } from '@ringleader/primitives';
import { ReplicatedStore } from './replicated-store.service.js';
import { WatchService } from './watch.service.js';
import {
  ANSWER_ITEMS_MAX,
  ANSWER_BYTES_MAX,
  compacted,
  toKeyRange,
  toOperationalError,
  toTxnCommand,
  toWireItem,
  toWireResults,
} from './wire.js';
import { refuseForeignWrites } from './write-access.js';

const { range, txn, watch } = coordinatorContracts;

/** Of all keys and values in one request: the command must fit into one Raft frame. */
const REQUEST_BYTES_MAX = 1_048_576;

@Controller()
export class StoreController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly watches: WatchService,
  ) {}

  @Handles(range)
  async range(request: RequestOf<typeof range>): Promise<ResponseOf<typeof range>> {
    if (request.serializable !== true) await this.store.readBarrier();
    const outcome = this.store.local.range({
      ...plainRead,
      ...toKeyRange(request),
      revision: request.revision ?? 0,
      limit: Math.min(request.limit ?? ANSWER_ITEMS_MAX, ANSWER_ITEMS_MAX),
      sizeBytesMax: ANSWER_BYTES_MAX,
    });
    switch (outcome.kind) {
      case 'compacted':
        throw compacted(outcome.compactedRevision);
      case 'futureRevision':
        throw notReached(request.serializable === true, outcome.revision);
      case 'range':
        return {
          revision: outcome.revision,
          items: outcome.items.map(toWireItem),
          count: outcome.count,
          more: outcome.more,
        };
    }
  }

  @Handles(txn)
  async txn(request: RequestOf<typeof txn>, speaker: Speaker): Promise<ResponseOf<typeof txn>> {
    refuseForeignWrites(speaker, request);
    const command = toTxnCommand(request);
    refuseInvalid(command);
    const result = await this.#carryOut(command);
    if (result.kind === 'rejected') throw toOperationalError(result.rejection);
    invariant(result.kind === 'txn', 'a transaction has a transaction’s result');
    return { revision: result.revision, succeeded: result.succeeded, results: toWireResults(result.results) };
  }

  @Handles(watch)
  watch(request: RequestOf<typeof watch>): Promise<ResponseOf<typeof watch>> {
    return this.watches.watch(request);
  }

  /** What changes nothing in either branch needs no place in the log. */
  async #carryOut(command: TxnCommand): Promise<CommandResult> {
    if (!isReadOnly(command)) return this.store.propose(command);
    await this.store.readBarrier();
    return this.store.local.evaluate(command);
  }
}

/** Without the barrier it may only be this member that has not got so far. */
function notReached(isSerializable: boolean, revision: number): OperationalError {
  return new OperationalError(
    isSerializable ? 'UNAVAILABLE' : 'INVALID_ARGUMENT',
    'The revision to read at has not been reached',
    { revision },
  );
}

function refuseInvalid(command: TxnCommand): void {
  const refusal = refusalOf(command);
  if (refusal !== null) throw toOperationalError(refusal);
  const sizeBytes = requestSize(command);
  if (sizeBytes <= REQUEST_BYTES_MAX) return;
  throw new OperationalError(
    'INVALID_ARGUMENT',
    'The keys and values of the transaction are too long together',
    {
      sizeBytes,
      sizeBytesMax: REQUEST_BYTES_MAX,
    },
  );
}

function requestSize({ compare, success, failure }: Branches): number {
  let size = 0;
  for (const { key, operand } of compare)
    size += utf8Length(key) + (typeof operand === 'number' ? 0 : operand.length);
  for (const operation of [...success, ...failure]) {
    if (operation.kind === 'txn') size += requestSize(operation);
    else size += utf8Length(operation.key) + (operation.kind === 'put' ? (operation.value?.length ?? 0) : 0);
  }
  return size;
}
