/**
 * What must be done before a shard's first promise (docs/PROTOCOL.md 4.10): its database is the one that it always had and
 * has forgotten nothing, and its incarnation is raised, durably, there and at the coordinator. A database that has
 * forgotten something is set aside, and the shard comes back as a new one.
 */
import type { OperationalError } from '@ringleader/contracts';
import {
  type Coordinator,
  registerShard,
  requireSameLease,
  type ShardRegistrationOutcome,
} from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import type { PartitionRecord } from '@ringleader/paxos';
import type { Incarnation, MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import type { ShardConfig } from '../shard.config.js';
import { DamageJudge } from '../storage/damage.js';
import { connectionOptions } from '../storage/database-settings.js';
import { type ConnectionPurpose, ShardDatabase } from '../storage/shard-database.js';
import type { SetAside } from '../storage/set-aside.js';
import type { ShardStorage } from '../storage/shard-storage.js';
import { ComingBack, comesBackAsNew, type Loss } from './coming-back.js';
import { damagedBeforeOpening, foreignDatabase, notListed, ordinalsExhausted, removed } from './refusals.js';
import { superseded } from '../storage/writer-lock.js';

export interface OpenedShard {
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
  readonly storage: ShardStorage;
  readonly records: readonly PartitionRecord[];
  /** Still there, of former ordinals. */
  readonly setAside: readonly SetAside[];
}

export interface OpeningOptions {
  readonly config: ShardConfig;
  readonly client: Coordinator;
  readonly logger: Logger;
  readonly monotonicMs: () => MonotonicMs;
  readonly onLost: (error: OperationalError) => void;
  readonly onRoundTrip: (purpose: ConnectionPurpose, durationMs: number) => void;
  /** Settles when the service registry has this shard, or has not had it for long. */
  readonly isListed: () => Promise<boolean>;
  /** The database is there, with the schema of this version. */
  readonly onMigrated: () => void;
}

export class ShardOpening {
  /** The highest that this process has raised its database to, or tried to. */
  private lastIncarnation: Incarnation | null = null;
  /** That this process serves, or has served. */
  private served: ShardOrdinal | null = null;
  private readonly judge = new DamageJudge();
  private damage: OperationalError | null = null;
  private isWarned = false;
  private readonly comingBack: ComingBack;

  constructor(private readonly options: OpeningOptions) {
    this.comingBack = new ComingBack(options.client, options.config.RINGLEADER_MEMBER, options.logger);
  }

  /** Why an opening or what was opened has come to its end. After damage the next one sets aside what the database holds. */
  ended(error: unknown): void {
    if (this.isDamage(error)) this.damage = error;
  }

  private isDamage(error: unknown): error is OperationalError {
    return this.judge.isDamage(error, this.options.monotonicMs());
  }

  async open(): Promise<OpenedShard> {
    for (;;) {
      const database = await this.connect();
      try {
        const outcome = await this.register(database);
        if (outcome.kind === 'registered') return await this.start(database, outcome);
        await this.setAside(database, outcome);
      } catch (error) {
        await database.close();
        throw error;
      }
      await database.close();
      // Subscriptions and leaderships of this process are the former ordinal's.
      if (this.served !== null) throw comesBackAsNew(this.shardId);
    }
  }

  private get shardId(): string {
    return this.options.config.RINGLEADER_MEMBER;
  }

  private async connect(): Promise<ShardDatabase> {
    const { config, onLost, onRoundTrip, onMigrated, logger } = this.options;
    const { lastIncarnation } = this;
    const options = { ...connectionOptions(config), lastIncarnation, onLost, onRoundTrip, logger };
    const database = await ShardDatabase.connect(options).catch((error: unknown) => {
      throw this.isDamage(error) ? damagedBeforeOpening(this.shardId, error) : error;
    });
    onMigrated();
    if (!database.facts.dataChecksums && !this.isWarned) {
      this.isWarned = true;
      logger.warn('PostgreSQL runs without data checksums: a page that its disk changes is served as it is');
    }
    return database;
  }

  private async register(database: ShardDatabase): Promise<ShardRegistrationOutcome | Loss> {
    const { config, client } = this.options;
    if (!(await this.options.isListed())) throw notListed(this.shardId);
    await requireSameLease(client, { shardId: this.shardId, leaseMs: config.RINGLEADER_LEASE_MS });
    const { identity, facts, setAside } = database;
    if (identity.shardId !== null && identity.shardId !== this.shardId) {
      const detail = `it belongs to ${identity.shardId}: give each shard a database of its own`;
      throw foreignDatabase(this.shardId, detail);
    }
    const { damage } = this;
    if (damage !== null && identity.ordinal !== null) {
      return { kind: 'damaged', former: identity.ordinal, detail: damage.message };
    }
    return registerShard(client, {
      shardId: this.shardId,
      zone: config.RINGLEADER_ZONE,
      weight: config.RINGLEADER_WEIGHT,
      databaseIncarnation: identity.incarnation,
      databaseOrdinal: identity.ordinal,
      setAside: setAside.map(({ ordinal }) => ordinal),
      ...facts,
      raiseDatabaseIncarnation: (from, to) => {
        this.lastIncarnation = to;
        return database.raiseIncarnation(from, to);
      },
    });
  }

  private async start(
    database: ShardDatabase,
    { ordinal, incarnation }: { readonly ordinal: ShardOrdinal; readonly incarnation: Incarnation },
  ): Promise<OpenedShard> {
    await database.claim(ordinal);
    const { setAside } = database;
    const opened = { ordinal, incarnation, setAside, ...(await database.openStorage(incarnation)) };
    this.served = ordinal;
    return opened;
  }

  private async setAside(
    database: ShardDatabase,
    outcome: Exclude<ShardRegistrationOutcome, { kind: 'registered' }> | Loss,
  ): Promise<void> {
    switch (outcome.kind) {
      case 'superseded':
        throw superseded(this.shardId, outcome.incarnation);
      case 'ordinalsExhausted':
        throw ordinalsExhausted();
      case 'removed':
        throw removed(this.shardId, outcome.ordinal);
      case 'foreignDatabase':
        throw foreignDatabase(this.shardId, outcome.detail);
      case 'needed':
        return this.comingBack.refuse({ ...outcome, kind: 'databaseForgot', detail: 'it is set aside' });
      default:
        await this.comingBack.setAside(database, outcome);
        this.damage = null;
        // The counter of the database begins anew, too.
        this.lastIncarnation = null;
    }
  }
}
