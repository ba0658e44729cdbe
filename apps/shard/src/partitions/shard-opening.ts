/**
 * What must be done before a shard's first promise (docs/PROTOCOL.md 4.10): its database is the one that it always had and
 * has forgotten nothing, and its incarnation is raised, durably, there and at the coordinator.
 */
import { OperationalError } from '@ringleader/contracts';
import { type Coordinator, registerShard, type ShardRegistrationOutcome } from '@ringleader/coordination';
import type { PartitionRecord } from '@ringleader/paxos';
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import type { ShardConfig } from '../shard.config.js';
import { connectionOptions } from '../storage/database-settings.js';
import { type ConnectionPurpose, ShardDatabase } from '../storage/shard-database.js';
import { superseded } from '../storage/writer-lock.js';
import type { ShardStorage } from '../storage/shard-storage.js';

export interface OpenedShard {
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
  readonly storage: ShardStorage;
  readonly records: readonly PartitionRecord[];
}

export interface OpeningOptions {
  readonly config: ShardConfig;
  readonly client: Coordinator;
  readonly onLost: (error: OperationalError) => void;
  readonly onRoundTrip: (purpose: ConnectionPurpose, durationMs: number) => void;
  /** The database is there, with the schema of this version. */
  readonly onMigrated: () => void;
}

export class ShardOpening {
  /** The highest that this process has raised its database to, or tried to. */
  private lastIncarnation: Incarnation | null = null;

  constructor(private readonly options: OpeningOptions) {}

  async open(): Promise<OpenedShard> {
    const { config, onLost, onRoundTrip, onMigrated } = this.options;
    const database = await ShardDatabase.connect({
      ...connectionOptions(config),
      lastIncarnation: this.lastIncarnation,
      onLost,
      onRoundTrip,
    });
    onMigrated();
    try {
      const { ordinal, incarnation } = await this.register(database);
      await database.claim(ordinal);
      return { ordinal, incarnation, ...(await database.openStorage(incarnation)) };
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  private async register(
    database: ShardDatabase,
  ): Promise<Extract<ShardRegistrationOutcome, { kind: 'registered' }>> {
    const { config, client } = this.options;
    const { identity, facts } = database;
    this.refuseOtherShard(identity.shardId);
    const outcome = await registerShard(client, {
      shardId: config.RINGLEADER_MEMBER,
      zone: config.RINGLEADER_ZONE,
      weight: config.RINGLEADER_WEIGHT,
      databaseIncarnation: identity.incarnation,
      databaseOrdinal: identity.ordinal,
      ...facts,
      raiseDatabaseIncarnation: (from, to) => {
        this.lastIncarnation = to;
        return database.raiseIncarnation(from, to);
      },
    });
    if (outcome.kind !== 'registered') throw refusal(config.RINGLEADER_MEMBER, outcome);
    return outcome;
  }

  private refuseOtherShard(shardId: string | null): void {
    const { RINGLEADER_MEMBER } = this.options.config;
    if (shardId === null || shardId === RINGLEADER_MEMBER) return;
    throw new OperationalError(
      'DATABASE_FORGOT',
      `The database belongs to ${shardId}, not to ${RINGLEADER_MEMBER}: give each shard a database of its own`,
      { shardId },
    );
  }
}

function refusal(
  shardId: string,
  outcome: Exclude<ShardRegistrationOutcome, { kind: 'registered' }>,
): OperationalError {
  switch (outcome.kind) {
    case 'superseded':
      return superseded(shardId, outcome.incarnation);
    case 'ordinalsExhausted':
      return new OperationalError('STORAGE_FAILED', 'All 65,535 ordinals of this cluster are given', {
        reason: 'ordinals',
      });
    default:
      return new OperationalError(
        'DATABASE_FORGOT',
        `The database of ${shardId} is not the one it was (${outcome.detail}). It cannot serve as ${shardId} any ` +
          'more: start it with an empty database under a new name (RINGLEADER_MEMBER)',
        { verdict: outcome.kind },
      );
  }
}
