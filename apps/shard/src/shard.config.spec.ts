import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { postgresUrl, shardConfigSchema } from './shard.config.js';

const load = (environment: Record<string, string>) =>
  loadConfig(shardConfigSchema, { RINGLEADER_MEMBER: 'shard-1', ...environment });

describe('the configuration of a shard', () => {
  it.each([
    ['postgres://user@host:5432/db', 'p@ss%&/?', 'postgres://user@host:5432/db?password=p%40ss%25%26%2F%3F'],
    ['postgres:///db?host=/run/pg&user=me', 'a b', 'postgres:///db?host=/run/pg&user=me&password=a%20b'],
  ])('adds to %s the password %s', (url, password, expected) => {
    const config = load({ RINGLEADER_POSTGRES_URL: url, RINGLEADER_POSTGRES_PASSWORD: password });
    expect(postgresUrl(config)).toBe(expected);
  });

  it.each(['postgres://user:secret@host/db', 'postgres:///db?host=/run/pg&password=secret'])(
    'takes %s as it is, and no second password beside it',
    (url) => {
      expect(postgresUrl(load({ RINGLEADER_POSTGRES_URL: url }))).toBe(url);
      const both = { RINGLEADER_POSTGRES_URL: url, RINGLEADER_POSTGRES_PASSWORD: 'x' };
      expect(() => load(both)).toThrow(/RINGLEADER_POSTGRES_PASSWORD: is given/);
      expect(() => load(both)).not.toThrow(/secret/);
    },
  );

  it('takes its zone from a file, as the downward API writes it: nothing, where the node has none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shard-config-'));
    const file = join(folder, 'zone');
    const zone = () => {
      const url = { RINGLEADER_POSTGRES_URL: 'postgres:///db?host=/run/pg' };
      return load({ ...url, RINGLEADER_ZONE_FILE: file }).RINGLEADER_ZONE;
    };
    await writeFile(file, 'eu-1a');
    expect(zone()).toBe('eu-1a');
    await writeFile(file, '');
    expect(zone()).toBe('');
    await rm(folder, { recursive: true });
  });
});
