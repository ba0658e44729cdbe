/** What operators do with the store: compaction, and hashes of all members. */
import { Controller } from '@nestjs/common';
import { coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { invariant } from '@ringleader/primitives';
import { notLeader, onlyForOperators } from '../members/member-errors.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { futureRevision, toOperationalError } from '../store/wire.js';
import { ComparisonService } from './comparison.service.js';

const { compact, hash, hashes } = coordinatorContracts;

@Controller()
export class UpkeepController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly comparison: ComparisonService,
  ) {}

  @Handles(compact)
  async compact(
    { revision }: RequestOf<typeof compact>,
    speaker: Speaker,
  ): Promise<ResponseOf<typeof compact>> {
    onlyForOperators(speaker, 'compact the store');
    const result = await this.store.propose({ kind: 'compact', revision });
    if (result.kind === 'rejected') {
      const { rejection } = result;
      throw rejection.reason === 'futureRevision'
        ? futureRevision(rejection.revision, { field: 'revision' })
        : toOperationalError(rejection);
    }
    invariant(result.kind === 'compacted', 'a compaction has the result of one');
    return { compactedRevision: revision };
  }

  @Handles(hash)
  async hash({ revision }: RequestOf<typeof hash>): Promise<ResponseOf<typeof hash>> {
    await this.store.readBarrier();
    return this.comparison.own(revision);
  }

  @Handles(hashes)
  async hashes({ revision }: RequestOf<typeof hashes>): Promise<ResponseOf<typeof hashes>> {
    const { leading, leader } = this.store.status();
    if (!leading) throw notLeader(leader, 'Hashes of all members are told by the leader');
    const { members, consistent, revision: at } = await this.comparison.compare(revision);
    return { revision: at, consistent, members };
  }
}
