/**
 * How a shard comes back as a new one (docs/PROTOCOL.md 4.10): nobody runs on the registered database, and no partition
 * has only this shard for its majority; then others are told not to count on it any more, and what the database holds is
 * set aside. The registration under a new ordinal is the next opening's.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError } from '@ringleader/contracts';
import {
  announceSetAside,
  challengeRegistration,
  type Coordinator,
  partitionsInNeedOf,
} from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { ShardDatabase } from '../storage/shard-database.js';
import { neededForMajority, runsElsewhere } from './refusals.js';

/** What the former ordinal's memory is lost by. */
export interface Loss {
  readonly kind: 'databaseForgot' | 'replaced' | 'damaged';
  readonly former: ShardOrdinal;
  readonly detail: string;
}

/** Who runs on the registered database sees the challenge at once. */
const CHALLENGE_MS = 2_000;
const DETAIL_LENGTH_MAX = 500;

/** The process ends, and its supervisor starts the next one. */
export function comesBackAsNew(shardId: string): OperationalError {
  const detail = `What the database of ${shardId} held is set aside: ${shardId} begins anew as a new shard`;
  return new OperationalError('STORAGE_FAILED', detail, { reason: 'comesBackAsNew' });
}

export class ComingBack {
  constructor(
    private readonly client: Coordinator,
    private readonly shardId: string,
    private readonly logger: Logger,
  ) {}

  async setAside(database: Pick<ShardDatabase, 'moveAside'>, loss: Loss): Promise<void> {
    const { kind, former, detail } = loss;
    if (kind === 'databaseForgot') {
      const partitions = await partitionsInNeedOf(this.client, former);
      if (partitions.length > 0) return this.refuse({ ...loss, partitions });
      await this.challenge(loss);
    }
    const said = await announceSetAside(this.client, { shardId: this.shardId, former });
    if (said.kind === 'superseded') throw runsElsewhere(this.shardId, detail);
    if (said.kind === 'needed') return this.refuse({ ...loss, partitions: said.partitions });
    await this.report(loss, 'set aside in its database, it comes back as a new shard');
    const schema = await database.moveAside(former, detail);
    this.logger.warn({ former, detail, schema }, 'Set aside what the database held');
  }

  /** Nothing is lost by waiting for those who were only replaced: their partitions are moved when they can be. */
  async refuse(loss: Loss & { readonly partitions: readonly PartitionIndex[] }): Promise<never> {
    const { kind, partitions, detail } = loss;
    if (kind === 'replaced') {
      const waits = `${this.shardId} was replaced, and joins anew when ${partitions.length} partitions have a majority of others`;
      throw new OperationalError('UNAVAILABLE', waits, { partitionsTotal: partitions.length });
    }
    await this.report(
      loss,
      `it stays down, since ${partitions.length} partitions need it for their majority`,
    );
    const code = kind === 'damaged' ? 'DATABASE_DAMAGED' : 'DATABASE_FORGOT';
    throw neededForMajority(code, this.shardId, { detail, partitions });
  }

  private async challenge({ former, detail }: Loss): Promise<void> {
    const { shardId } = this;
    this.logger.warn(
      { former, detail },
      'The database is not the registered one: does another process run on that?',
    );
    const wait = (): Promise<void> => pause(CHALLENGE_MS);
    const heard = await challengeRegistration(this.client, { shardId, former }, randomUUID(), wait);
    if (heard === 'answered') throw runsElsewhere(shardId, detail);
  }

  /** It is mended once the map names the former ordinal nowhere: the coordinators see that. */
  private async report({ kind, former, detail }: Loss, outcome: string): Promise<void> {
    if (kind === 'replaced') return;
    await this.client.ask('reportIncident', {
      kind: kind === 'damaged' ? 'PAGE_UNREADABLE' : 'DATABASE_FORGOT',
      shard: this.shardId,
      ordinal: former,
      partition: null,
      keys: [],
      detail: `${detail}: ${outcome}`.slice(0, DETAIL_LENGTH_MAX),
      mended: false,
    });
  }
}
