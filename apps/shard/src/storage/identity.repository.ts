/** Whose database it is. The only table that is read and written through the ORM: once per start. */
import { translatePostgresError } from '@ringleader/postgres';
import { OperationalError } from '@ringleader/contracts';
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import type { DataSource, Repository } from 'typeorm';
import { ShardIdentityEntity } from './entities.js';

export interface ShardIdentity {
  /** 0 in a new database. */
  readonly incarnation: Incarnation;
  /** Null before the first registration was stored. */
  readonly shardId: string | null;
  readonly ordinal: ShardOrdinal | null;
}

export class IdentityRepository {
  private readonly repository: Repository<ShardIdentityEntity>;

  constructor(dataSource: DataSource) {
    this.repository = dataSource.getRepository(ShardIdentityEntity);
  }

  read(): Promise<ShardIdentity> {
    return this.translated('read identity', async () => {
      const entity = await this.repository.findOneByOrFail({ singleton: true });
      return { incarnation: Number(entity.incarnation), shardId: entity.shardId, ordinal: entity.ordinal };
    });
  }

  /** From then on no transaction of an earlier incarnation has an effect. Throws if the counter is not `from`. */
  raiseIncarnation(from: Incarnation, to: Incarnation): Promise<void> {
    return this.translated('raise incarnation', async () => {
      const where = { singleton: true, incarnation: String(from) };
      const { affected } = await this.repository.update(where, { incarnation: String(to) });
      if (affected === 1) return;
      throw new OperationalError(
        'STORAGE_FAILED',
        'Another process has raised the incarnation of this database',
        {
          reason: 'fenced',
          from,
          to,
        },
      );
    });
  }

  /** The shard that this database belongs to, for ever. */
  claim(shardId: string, ordinal: ShardOrdinal): Promise<void> {
    return this.translated('claim', async () => {
      await this.repository.update({ singleton: true }, { shardId, ordinal });
    });
  }

  private async translated<T>(action: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw translatePostgresError(error, action);
    }
  }
}
