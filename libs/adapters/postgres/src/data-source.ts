import { Socket } from 'node:net';
import type pg from 'pg';
import { DataSource, type DataSourceOptions, type MigrationInterface, type ObjectLiteral } from 'typeorm';
import type { Logger } from 'typeorm';
import { sayGoodbye } from './goodbye.js';
import { translatePostgresError } from './postgres-error.js';
import { sessionSettings } from './session-settings.js';

export type EntityClass = new () => ObjectLiteral;

export interface DataSourceSettings {
  readonly url: string;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** A statement, also one of a migration, that takes longer has failed: its server may have vanished without a word. */
  readonly statementTimeoutMs: number;
  readonly entities: readonly EntityClass[];
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** What each session says before anything else. */
  readonly preamble?: string;
  /** Told what TypeORM has to say, which is which migration has failed; absent: nobody is. */
  readonly onSaid?: ((text: string) => void) | undefined;
}

/** TypeORM's own writes text, between the lines of the log. */
function loggerOf(onSaid: (text: string) => void = () => undefined): Logger {
  const silent = (): void => undefined;
  return {
    ...{ logQuery: silent, logQueryError: silent, logQuerySlow: silent, logSchemaBuild: silent },
    logMigration: onSaid,
    log: (_level, message) => onSaid(String(message)),
  };
}

class EndingDataSource extends DataSource {
  constructor(
    options: DataSourceOptions,
    private readonly sockets: ReadonlySet<Socket>,
  ) {
    super(options);
  }

  override destroy(): Promise<void> {
    return sayGoodbye(super.destroy(), this.sockets);
  }
}

/** Connects. The schema changes by migrations only, never by itself. */
export async function openDataSource(settings: DataSourceSettings): Promise<DataSource> {
  const first = sessionSettings(settings.preamble);
  const sockets = new Set<Socket>();
  const options: DataSourceOptions = {
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
    logger: loggerOf(settings.onSaid),
    extra: {
      onConnect: (client: pg.ClientBase) => client.query(first),
      query_timeout: settings.statementTimeoutMs,
      stream: () => newSocket(sockets),
    },
  };
  const dataSource = new EndingDataSource(options, sockets);
  try {
    return await dataSource.initialize();
  } catch (error) {
    for (const socket of sockets) socket.destroy();
    throw translatePostgresError(error, 'connect');
  }
}

function newSocket(sockets: Set<Socket>): Socket {
  const socket = new Socket();
  sockets.add(socket);
  return socket.once('close', () => sockets.delete(socket));
}

export async function migrate(dataSource: DataSource): Promise<void> {
  try {
    await dataSource.runMigrations();
  } catch (error) {
    throw translatePostgresError(error, 'migrate');
  }
}
