import { Inject, Injectable } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { ControlServer } from '@ringleader/nats';
import type { CoordinatorConfig } from '../coordinator.config.js';
import { ownSubject } from '../own-subject.js';
import { CONFIG } from '../tokens.js';
import { RangeService } from './range.service.js';
import { TxnService } from './txn.service.js';
import { WatchService } from './watch.service.js';

/**
 * The store over NATS. Subjects contain the member's id, which a decorator cannot know, so handlers are added to the
 * transport by hand.
 */
@Injectable()
export class StoreController {
  constructor(
    @Inject(CONFIG) private readonly config: CoordinatorConfig,
    @Inject(RangeService) private readonly ranges: RangeService,
    @Inject(TxnService) private readonly transactions: TxnService,
    @Inject(WatchService) private readonly watches: WatchService,
  ) {}

  register(server: ControlServer): void {
    const { range, txn, watch } = coordinatorContracts;
    server.handle(range, ownSubject(this.config, 'range'), (request) => this.ranges.range(request));
    server.handle(txn, ownSubject(this.config, 'txn'), (request) => this.transactions.txn(request));
    server.handle(watch, ownSubject(this.config, 'watch'), (request) => this.watches.watch(request));
  }
}
