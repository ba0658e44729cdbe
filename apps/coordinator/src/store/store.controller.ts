import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { RangeService } from './range.service.js';
import { TxnService } from './txn.service.js';
import { WatchService } from './watch.service.js';
import { refuseForeignWrites } from './write-access.js';

const { range, txn, watch } = coordinatorContracts;

/** The store over NATS. */
@Controller()
export class StoreController {
  constructor(
    private readonly ranges: RangeService,
    private readonly transactions: TxnService,
    private readonly watches: WatchService,
  ) {}

  @Handles(range)
  range(request: RequestOf<typeof range>): Promise<ResponseOf<typeof range>> {
    return this.ranges.range(request);
  }

  @Handles(txn)
  txn(request: RequestOf<typeof txn>, speaker: Speaker): Promise<ResponseOf<typeof txn>> {
    refuseForeignWrites(speaker, request);
    return this.transactions.txn(request);
  }

  @Handles(watch)
  watch(request: RequestOf<typeof watch>): Promise<ResponseOf<typeof watch>> {
    return this.watches.watch(request);
  }
}
