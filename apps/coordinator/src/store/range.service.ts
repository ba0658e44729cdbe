import { Injectable } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf } from '@ringleader/contracts';
import { ReplicatedStore } from './replicated-store.service.js';
import { ANSWER_ITEMS_MAX, ANSWER_LENGTH_MAX, compacted, toKeyRange } from './wire.js';

type Contract = typeof coordinatorContracts.range;

@Injectable()
export class RangeService {
  constructor(private readonly store: ReplicatedStore) {}

  async range(request: RequestOf<Contract>): Promise<ResponseOf<Contract>> {
    if (request.serializable !== true) await this.store.readBarrier();
    const outcome = this.store.local.range({
      ...toKeyRange(request),
      revision: request.revision ?? 0,
      limit: Math.min(request.limit ?? ANSWER_ITEMS_MAX, ANSWER_ITEMS_MAX),
      lengthMax: ANSWER_LENGTH_MAX,
    });
    switch (outcome.kind) {
      case 'compacted':
        throw compacted(outcome.compactedRevision);
      case 'futureRevision':
        throw notReached(request.serializable === true, outcome.revision);
      case 'range':
        return {
          revision: outcome.revision,
          items: [...outcome.items],
          count: outcome.count,
          more: outcome.more,
        };
    }
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
