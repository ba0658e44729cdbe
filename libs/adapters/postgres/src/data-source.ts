import type pg from 'pg';
import { DataSource, type MigrationInterface, type ObjectLiteral } from 'typeorm';
import { translatePostgresError } from './postgres-error.js';
import { sessionSettings } from './session-settings.js';

export type EntityClass = new () => ObjectLiteral;

export interface DataSourceSettings {
  readonly url: string;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly entities: readonly EntityClass[];
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** What each session says before anything else. */
  readonly preamble?: string;
}

/** Connects. The schema changes by migrations only, never by itself. */
export async function openDataSource(settings: DataSourceSettings): Promise<DataSource> {
  const first = sessionSettings(settings.preamble);
  const dataSource = new DataSource({
    type: 'postgres',
    url: settings.url,
    applicationName: settings.applicationName,
    connectTimeoutMS: settings.connectTimeoutMs,
    entities: [...settings.entities],
    migrations: [...settings.migrations],
    migrationsTableName: 'schema_migrations',
    migrationsTransactionMode: 'all',
    synchronize: false,
    installExtensions: false,
    poolSize: 1,
    logging: false,
    extra: { onConnect: (client: pg.ClientBase) => client.query(first) },
  });
  try {
    return await dataSource.initialize();
  } catch (error) {
    throw translatePostgresError(error, 'connect');
  }
}

export async function migrate(dataSource: DataSource): Promise<void> {
  try {
    await dataSource.runMigrations();
  } catch (error) {
    throw translatePostgresError(error, 'migrate');
  }
}
