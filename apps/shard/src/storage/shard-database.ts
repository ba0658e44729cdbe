/**
 * The database of a shard from connecting to the first transaction, in this order: the writer's lock, so that nobody else
 * changes anything; durability checked; migrations; identity read (the caller compares it with the registration and
 * raises the incarnation, docs/PROTOCOL.md 4.10); then the storage of that incarnation.
 */
import type { OperationalError } from '@ringleader/contracts';
import type { PartitionRecord } from '@ringleader/paxos';
import type { Logger } from '@ringleader/observability';
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import {
  type DatabaseFacts,
  HotConnection,
  migrate,
  openDataSource,
  readDatabaseFacts,
  requireDurability,
} from '@ringleader/postgres';
import type { DataSource } from 'typeorm';
import { PartitionRecordEntity, RecordLogEntity, RowEntity, ShardIdentityEntity } from './entities.js';
import { IdentityRepository, type ShardIdentity } from './identity.repository.js';
import { InitialSchema1790000000000 } from './migrations/1790000000000-initial-schema.js';
import { ValuesUncompressed1790000100000 } from './migrations/1790000100000-values-uncompressed.js';
import { VacuumSettings1790000200000 } from './migrations/1790000200000-vacuum-settings.js';
import { AT_HOME, listSetAside, moveAside, type SetAside } from './set-aside.js';
import { ShardStorage } from './shard-storage.js';
import { lockWriter, refuseLater, refuseLaterInDatabase } from './writer-lock.js';

export const ENTITIES = [RowEntity, PartitionRecordEntity, RecordLogEntity, ShardIdentityEntity];
export const MIGRATIONS = [
  InitialSchema1790000000000,
  ValuesUncompressed1790000100000,
  VacuumSettings1790000200000,
];

export type ConnectionPurpose = 'writer' | 'points' | 'scans' | 'passes';

export interface ShardDatabaseOptions {
  /** Absent: nobody is told which migration has failed. */
  readonly logger?: Pick<Logger, 'warn'>;
  readonly url: string;
  readonly shardId: string;
  /** A statement that takes longer means that the database is lost. */
  readonly stallMs: number;
  readonly connectTimeoutMs: number;
  /** The highest that this process has raised the database to, or tried to; null before the first time. */
  readonly lastIncarnation: Incarnation | null;
  /** Called at the first failure of a connection, whether or not a statement was under way. */
  readonly onLost: (error: OperationalError) => void;
  /** Told of each statement: what its connection is for, and how long the server took. */
  readonly onRoundTrip?: (purpose: ConnectionPurpose, durationMs: number) => void;
}

export class ShardDatabase {
  private constructor(
    private readonly options: ShardDatabaseOptions,
    private readonly writer: HotConnection,
    private readonly dataSource: DataSource,
    /** As found when connecting. */
    private readonly found: {
      readonly identity: ShardIdentity;
      readonly facts: DatabaseFacts;
      readonly setAside: readonly SetAside[];
    },
  ) {}

  get identity(): ShardIdentity {
    return this.found.identity;
  }

  get facts(): DatabaseFacts {
    return this.found.facts;
  }

  get setAside(): readonly SetAside[] {
    return this.found.setAside;
  }

  static async connect(options: ShardDatabaseOptions): Promise<ShardDatabase> {
    const { shardId, lastIncarnation } = options;
    const writer = await openConnection(options, 'writer');
    let dataSource: DataSource | null = null;
    try {
      await lockWriter(writer, () => refuseLaterInDatabase(writer, shardId, lastIncarnation));
      dataSource = await openDataSource({
        url: options.url,
        applicationName: `${shardId} schema`,
        connectTimeoutMs: options.connectTimeoutMs,
        statementTimeoutMs: options.stallMs,
        entities: ENTITIES,
        migrations: MIGRATIONS,
        preamble: AT_HOME,
        onSaid: (said) => options.logger?.warn({ said }, 'A migration of the database has failed'),
      });
      await requireDurability(dataSource);
      await migrate(dataSource);
      const identity = await new IdentityRepository(dataSource).read();
      refuseLater(shardId, identity.incarnation, lastIncarnation);
      const facts = await readDatabaseFacts(dataSource);
      const setAside = await listSetAside(dataSource);
      return new ShardDatabase(options, writer, dataSource, { identity, facts, setAside });
    } catch (error) {
      await Promise.allSettled([writer.close(), dataSource?.destroy()]);
      throw error;
    }
  }

  raiseIncarnation(from: Incarnation, to: Incarnation): Promise<void> {
    return new IdentityRepository(this.dataSource).raiseIncarnation(from, to);
  }

  claim(ordinal: ShardOrdinal): Promise<void> {
    return new IdentityRepository(this.dataSource).claim(this.options.shardId, ordinal);
  }

  /** What it holds goes into a schema of its own, whose name comes back. Of no use afterwards: connect again. */
  moveAside(ordinal: ShardOrdinal, reason: string): Promise<string> {
    return moveAside(this.dataSource, ordinal, reason);
  }

  /** Ends this object's life: the connections are the storage's from then on. */
  async openStorage(
    incarnation: Incarnation,
  ): Promise<{ readonly storage: ShardStorage; readonly records: readonly PartitionRecord[] }> {
    const opened: HotConnection[] = [];
    try {
      const open = async (purpose: ConnectionPurpose): Promise<HotConnection> => {
        const connection = await openConnection(this.options, purpose);
        opened.push(connection);
        return connection;
      };
      const readers = {
        points: await open('points'),
        scans: await open('scans'),
        passes: await open('passes'),
      };
      const result = await ShardStorage.open({ writer: this.writer, ...readers }, incarnation);
      await this.dataSource.destroy();
      return result;
    } catch (error) {
      await Promise.allSettled(opened.map((connection) => connection.close()));
      throw error;
    }
  }

  /** A connection that is broken is closed as well. */
  async close(): Promise<void> {
    await Promise.allSettled([this.writer.close(), this.dataSource.destroy()]);
  }
}

function openConnection(options: ShardDatabaseOptions, purpose: ConnectionPurpose): Promise<HotConnection> {
  return HotConnection.open({
    url: options.url,
    applicationName: `${options.shardId} ${purpose}`,
    connectTimeoutMs: options.connectTimeoutMs,
    stallMs: options.stallMs,
    preamble: AT_HOME,
    onLost: options.onLost,
    onRoundTrip: (durationMs) => options.onRoundTrip?.(purpose, durationMs),
  });
}
