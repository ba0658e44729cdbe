import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresPrograms, postgresVersion } from './postgres-programs.js';

describe('the programs of PostgreSQL in a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader bin '));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function program(name: string, line: string): Promise<void> {
    await writeFile(join(folder, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const postgresThatSays = async (text: string) => {
    await program('initdb', 'exit 1');
    await program('postgres', `[ "$*" = --version ] && echo '${text}'`);
  };

  it.each([
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', '15.18'],
    ['postgres (PostgreSQL) 18.4', '18.4'],
    ['postgres (PostgreSQL) 19beta1', '19beta1'],
    ['postgres (PostgreSQL) 15.3 - Percona Distribution', '15.3'],
  ])('are used, with their version: %s', async (text, version) => {
    await postgresThatSays(text);
    const [initdb, postgres] = [join(folder, 'initdb'), join(folder, 'postgres')];
    expect(await postgresPrograms(folder)).toEqual({ initdb, postgres, version, folder });
  });

  it.each([
    [
      'postgres (PostgreSQL) 14.19',
      /\/postgres is too old, of version 14\.19: .* 15 or newer with --postgres\.$/,
    ],
    ['postgres (PostgreSQL) 9.6.24', /too old, of version 9\.6\.24/],
    ['postgres, a dog', /\/postgres is not PostgreSQL's: .* it says 'postgres, a dog'\.$/],
    ['', /is not PostgreSQL's: .* it says ''\.$/],
  ])('are refused where they say: %s', async (text, why) => {
    await postgresThatSays(text);
    await expect(postgresPrograms(folder)).rejects.toThrow(why);
  });

  it('are refused where they do not run', async () => {
    await postgresThatSays('postgres (PostgreSQL) 18.4');
    await program('postgres', 'echo wrong >&2; echo "no libpq.so" >&2; exit 127');
    await expect(postgresPrograms(folder)).rejects.toThrow(
      /postgres does not tell its version: no libpq\.so$/,
    );
    await writeFile(join(folder, 'postgres'), '#!/no/such/shell\n');
    await expect(postgresPrograms(folder)).rejects.toThrow(/postgres does not tell its version: .+$/);
  });

  it('are refused where one is missing, or no program', async () => {
    const missing = (name: string) =>
      `PostgreSQL is not in ${folder}, which has no executable ${name}: name the folder of its programs with --postgres, as /usr/lib/postgresql/15/bin.`;
    await expect(postgresPrograms(folder)).rejects.toThrow(missing('initdb'));
    await program('initdb', '');
    await expect(postgresPrograms(folder)).rejects.toThrow(missing('postgres'));
    await mkdir(join(folder, 'postgres'));
    await expect(postgresPrograms(folder)).rejects.toThrow(missing('postgres'));
    await rm(join(folder, 'postgres'), { recursive: true });
    await writeFile(join(folder, 'postgres'), '', { mode: 0o644 });
    await expect(postgresPrograms(folder)).rejects.toThrow(missing('postgres'));
    const elsewhere = join(folder, 'initdb', 'bin');
    await expect(postgresPrograms(elsewhere)).rejects.toThrow(`PostgreSQL is not in ${elsewhere}, which has`);
  });

  it('are those that npm brings, if none is named', async () => {
    const { postgres, version, folder: given } = await postgresPrograms();
    expect(given).toBeUndefined();
    expect(await postgresVersion(postgres)).toBe(version);
    expect(Number.parseInt(version, 10)).toBeGreaterThanOrEqual(15);
  });
});
