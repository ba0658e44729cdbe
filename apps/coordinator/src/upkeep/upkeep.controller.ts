/** What operators do with the store: compaction, hashes of all members, snapshots. */
import { Controller } from '@nestjs/common';
import { compactedError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { invariant } from '@ringleader/primitives';
import { notLeader, onlyForOperators } from '../members/member-errors.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { futureRevision, toOperationalError } from '../store/wire.js';
import { ComparisonService } from './comparison.service.js';
import { SnapshotSessions } from './snapshot-sessions.js';

const { compact, hash, hashes, openSnapshot, readSnapshot, closeSnapshot } = coordinatorContracts;

const FETCH = 'fetch a snapshot of the store';

@Controller()
export class UpkeepController {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly comparison: ComparisonService,
    private readonly snapshots: SnapshotSessions,
  ) {}

  @Handles(compact)
  async compact(
    { revision }: RequestOf<typeof compact>,
    speaker: Speaker,
  ): Promise<ResponseOf<typeof compact>> {
    onlyForOperators(speaker, 'compact the store');
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
  async openSnapshot(
    _request: RequestOf<typeof openSnapshot>,
    speaker: Speaker,
  ): Promise<ResponseOf<typeof openSnapshot>> {
    onlyForOperators(speaker, FETCH);
    await this.store.readBarrier();
    return this.snapshots.open();
  }

  @Handles(readSnapshot)
  readSnapshot(
    { snapshot, part }: RequestOf<typeof readSnapshot>,
    speaker: Speaker,
  ): ResponseOf<typeof readSnapshot> {
    onlyForOperators(speaker, FETCH);
    const { bytes, isLast } = this.snapshots.read(snapshot, part);
    return { dataBase64: Buffer.from(bytes).toString('base64'), isLast };
  }

  @Handles(closeSnapshot)
  closeSnapshot(
    { snapshot }: RequestOf<typeof closeSnapshot>,
    speaker: Speaker,
  ): ResponseOf<typeof closeSnapshot> {
    onlyForOperators(speaker, FETCH);
    this.snapshots.close(snapshot);
    return {};
  }
}
