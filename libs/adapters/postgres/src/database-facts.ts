/** What a database says about itself: whether it keeps what it acknowledges, and which one it is (4.10). */
import { OperationalError } from '@ringleader/contracts';
import { translatePostgresError } from './postgres-error.js';
import type { DataSource } from 'typeorm';

/** Acknowledged before they are on disk: by the first crash such a database forgets what its shard has promised. */
const REQUIRED_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  synchronous_commit: ['on', 'local', 'remote_write', 'remote_apply'],
  full_page_writes: ['on'],
};

/** Columns for `checkDurability`. */
export const DURABILITY_COLUMNS = Object.keys(REQUIRED_SETTINGS)
  .map((setting) => `current_setting('${setting}') AS ${setting}`)
  .join(', ');

/** Refuses (DURABILITY_OFF) a database that may lose or tear what it has acknowledged. */
export async function requireDurability(dataSource: DataSource): Promise<void> {
  const [row] = await query<Record<string, string>>(dataSource, `SELECT ${DURABILITY_COLUMNS}`, []);
  checkDurability(Object.keys(REQUIRED_SETTINGS).map((setting) => row?.[setting] ?? null));
}

/** `values`: of DURABILITY_COLUMNS, in their order. */
export function checkDurability(values: readonly (string | null)[]): void {
  for (const [index, [setting, allowed]] of Object.entries(REQUIRED_SETTINGS).entries()) {
    const value = values[index] ?? '';
    if (allowed.includes(value)) continue;
    throw new OperationalError(
      'DURABILITY_OFF',
      `PostgreSQL runs with ${setting} = ${value}: a shard must not acknowledge writes that a crash can take back. ` +
        `Set ${setting} = on.`,
      { setting, value, allowed },
    );
  }
}

export interface DatabaseFacts {
  /** Of the cluster of databases: a restored backup has the same one, a new initdb another. */
  readonly systemIdentifier: string;
  /** Raised by every fail-over and point-in-time recovery: that of the log now, not of the last checkpoint. */
  readonly timeline: number;
  /** How far the write-ahead log is on disk, as PostgreSQL prints it. */
  readonly walPosition: string;
  /** Whether a page that a disk has changed is found when it is read. */
  readonly dataChecksums: boolean;
}

export async function readDatabaseFacts(dataSource: DataSource): Promise<DatabaseFacts> {
  const [row] = await query<{ system: string; timeline: number; wal: string; checksums: string }>(
    dataSource,
    `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,
            ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int AS timeline,
            pg_current_wal_flush_lsn()::text AS wal, current_setting('data_checksums') AS checksums`,
    [],
  );
  if (row === undefined)
    throw new OperationalError('STORAGE_FAILED', 'PostgreSQL did not say which one it is');
  return {
    systemIdentifier: row.system,
    timeline: row.timeline,
    walPosition: row.wal,
    dataChecksums: row.checksums === 'on',
  };
}

async function query<T>(dataSource: DataSource, text: string, values: unknown[]): Promise<T[]> {
  try {
    return await dataSource.query<T[]>(text, values);
  } catch (error) {
    throw translatePostgresError(error, 'read facts');
  }
}
