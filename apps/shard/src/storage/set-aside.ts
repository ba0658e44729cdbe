/**
 * What a database held under an ordinal that it can serve no more, moved into a schema of its own: nothing is destroyed
 * before the map names that ordinal nowhere (docs/OPERATIONS.md, "A database that forgot something").
 */
import { HotConnection, translatePostgresError } from '@ringleader/postgres';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { DataSource } from 'typeorm';

const PREFIX = 'ringleader_forgotten_';
const NAME = /^ringleader_forgotten_(\d+)_(\d+)$/;
/**
 * A session's search path becomes the schema in which its role has a shard's tables, so that neither a path which somebody sets
 * nor a schema of the role's name, which the default path puts first, hides them behind new, empty ones. Where none has
 * them, the path decides where they are made.
 */
export const AT_HOME = `SELECT set_config('search_path', quote_ident(min(nspname::text)), false)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE relname = 'shard_identity' AND relkind = 'r' AND NOT starts_with(nspname, '${PREFIX}')
    AND pg_get_userbyid(relowner) = current_user
  HAVING count(*) = 1`;

/** Large files are unlinked while it waits. */
const DROP_STALL_MS = 600_000;

export interface SetAside {
  readonly schema: string;
  readonly ordinal: ShardOrdinal;
}

export function listSetAside(dataSource: DataSource): Promise<SetAside[]> {
  return translated('list what is set aside', async () => {
    const found = await dataSource.query<{ name: string }[]>(
      'SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, $1)',
      [PREFIX],
    );
    return found.flatMap(({ name }) => {
      const ordinal = NAME.exec(name)?.[1];
      return ordinal === undefined ? [] : [{ schema: name, ordinal: Number(ordinal) }];
    });
  });
}

/**
 * In one transaction. The schema is also the mark, for ever, that this database is not that of the ordinal: so it is made
 * where there is nothing to be kept, too. The next connection makes new tables.
 */
export function moveAside(dataSource: DataSource, ordinal: ShardOrdinal, reason: string): Promise<string> {
  return translated('set aside', async () => {
    const present = new Set((await listSetAside(dataSource)).map(({ schema }) => schema));
    let number = 1;
    while (present.has(`${PREFIX}${ordinal}_${number}`)) number += 1;
    const schema = `${PREFIX}${ordinal}_${number}`;
    const tables = [...dataSource.entityMetadatas.map(({ tableName }) => tableName), MIGRATIONS_TABLE];
    await dataSource.transaction(async (manager) => {
      await manager.query(`CREATE SCHEMA ${schema}`);
      const [comment] = await manager.query<{ text: string }[]>(
        `SELECT format('COMMENT ON SCHEMA ${schema} IS %L', now()::text || ': ' || $1::text) AS text`,
        [reason],
      );
      await manager.query(comment!.text);
      for (const table of tables) await manager.query(`ALTER TABLE IF EXISTS ${table} SET SCHEMA ${schema}`);
    });
    return schema;
  });
}

const MIGRATIONS_TABLE = 'schema_migrations';

/** On a connection of its own, since it may take long. */
export async function dropAside(url: string, applicationName: string, schema: string): Promise<void> {
  const connection = await HotConnection.open({
    ...{ url, applicationName, connectTimeoutMs: 5_000, stallMs: DROP_STALL_MS },
    onLost: () => undefined,
  });
  try {
    await connection.runOnce(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  } finally {
    await connection.close();
  }
}

async function translated<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw translatePostgresError(error, action);
  }
}
