import { Injectable } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf } from '@ringleader/contracts';
import { invariant } from '@ringleader/primitives';
import { duplicateKey, isReadOnly } from '@ringleader/mvcc';
import type { CommandResult, TxnCommand } from '@ringleader/mvcc';
import { ReplicatedStore } from './replicated-store.service.js';
import { toOperationalError, toTxnCommand, toWireResults } from './wire.js';

type Contract = typeof coordinatorContracts.txn;

/** Of all keys and values in one request, in UTF-16 units: the command must fit into one Raft frame. */
const REQUEST_LENGTH_MAX = 1_048_576;

@Injectable()
export class TxnService {
  constructor(private readonly store: ReplicatedStore) {}

  async txn(request: RequestOf<Contract>): Promise<ResponseOf<Contract>> {
    const command = toTxnCommand(request);
    refuseInvalid(command);
    const result = await this.#carryOut(command);
    if (result.kind === 'rejected') throw toOperationalError(result.rejection);
    invariant(result.kind === 'txn', 'a transaction has a transaction’s result');
    return { revision: result.revision, succeeded: result.succeeded, results: toWireResults(result.results) };
  }

  /** What changes nothing in either branch needs no place in the log. */
  async #carryOut(command: TxnCommand): Promise<CommandResult> {
    if (!isReadOnly(command)) return this.store.propose(command);
    await this.store.readBarrier();
    return this.store.local.evaluate(command);
  }
}

function refuseInvalid(command: TxnCommand): void {
  for (const branch of [command.success, command.failure]) {
    const key = duplicateKey(branch);
    if (key !== null) throw toOperationalError({ reason: 'duplicateKey', key });
  }
  const length = requestLength(command);
  if (length <= REQUEST_LENGTH_MAX) return;
  throw new OperationalError(
    'INVALID_ARGUMENT',
    'The keys and values of the transaction are too long together',
    {
      length,
      lengthMax: REQUEST_LENGTH_MAX,
    },
  );
}

function requestLength({ compare, success, failure }: TxnCommand): number {
  let length = 0;
  for (const { key, operand } of compare)
    length += key.length + (typeof operand === 'string' ? operand.length : 0);
  for (const operation of [...success, ...failure]) {
    length += operation.key.length + (operation.kind === 'put' ? operation.value.length : 0);
  }
  return length;
}
