/** What operators do with the store: compaction, hashes of all members, snapshots. */
import { Controller } from '@nestjs/common';
import { compactedError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { invariant } from '@ringleader/primitives';
import { notLeader } from '../members/member-errors.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { futureRevision, toOperationalError } from '../store/wire.js';
import { ComparisonService } from './comparison.service.js';
import { SnapshotSessions } from './snapshot-sessions.js';

const { compact, hash, hashes, openSnapshot, readSnapshot, closeSnapshot } = coordinatorContracts;

@Controller()
export class UpkeepController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly comparison: ComparisonService,
    private readonly snapshots: SnapshotSessions,
  ) {}

  @Handles(compact)
  async compact({ revision }: RequestOf<typeof compact>): Promise<ResponseOf<typeof compact>> {
    const result = await this.store.compact(revision);
    if (result.kind === 'rejected') {
      const { rejection } = result;
      if (rejection.reason === 'futureRevision') {
        throw futureRevision(rejection.revision, { field: 'revision' });
      }
      throw rejection.reason === 'compacted'
        ? compactedError(revision, rejection.compactedRevision)
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

  @Handles(openSnapshot)
  async openSnapshot(): Promise<ResponseOf<typeof openSnapshot>> {
    await this.store.readBarrier();
    return this.snapshots.open();
  }

  @Handles(readSnapshot)
  readSnapshot({ snapshot, part }: RequestOf<typeof readSnapshot>): ResponseOf<typeof readSnapshot> {
    const { bytes, isLast } = this.snapshots.read(snapshot, part);
    return { dataBase64: Buffer.from(bytes).toString('base64'), isLast };
  }

  @Handles(closeSnapshot)
  closeSnapshot({ snapshot }: RequestOf<typeof closeSnapshot>): ResponseOf<typeof closeSnapshot> {
    this.snapshots.close(snapshot);
    return {};
  }
}
