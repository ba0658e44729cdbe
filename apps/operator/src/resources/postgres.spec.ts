import { describe, expect, it } from '@jest/globals';
import { postgresFiles, postgresqlConf } from './postgres.js';

const sizes = { memory: '1Gi', volume: '10Gi' };

/** As PostgreSQL does: the last word counts, and names are the same in any case. */
function settingsOf(conf: string): Map<string, string> {
  const lines = conf.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(\S+) = '(.*)'$/.exec(line) ?? [];
      return [name.toLowerCase(), value.replaceAll("''", "'")] as const;
    }),
  );
}

describe('the settings of a shard’s PostgreSQL', () => {
  it('fit the memory of the container and the size of the volume', () => {
    const settings = settingsOf(postgresqlConf(sizes, {}));
    expect(settings.get('shared_buffers')).toBe('256MB');
    expect(settings.get('effective_cache_size')).toBe('512MB');
    expect(settings.get('max_wal_size')).toBe('1280MB');
    const small = settingsOf(postgresqlConf({ memory: '192Mi', volume: '1Gi' }, {}));
    expect(small.get('shared_buffers')).toBe('48MB');
    expect(small.get('max_wal_size')).toBe('128MB');
  });

  it('are the owner’s where the owner has some, word for word', () => {
    const own = { work_mem: '8MB', 'auto_explain.log_min_duration': '1s', log_line_prefix: "it's 100\\%" };
    const conf = postgresqlConf(sizes, own);
    expect(settingsOf(conf).get('work_mem')).toBe('8MB');
    expect(settingsOf(conf).get('auto_explain.log_min_duration')).toBe('1s');
    expect(conf).toContain(String.raw`log_line_prefix = 'it''s 100\\%'`);
  });

  it.each(['include', 'INCLUDE_DIR', 'a b', "x = 'y'\nfsync", 'ümlaut'])('know no name like %j', (name) => {
    expect(postgresqlConf(sizes, { [name]: 'off' })).toBe(postgresqlConf(sizes, {}));
  });

  it.each(['fsync', 'full_page_writes', 'synchronous_commit'])(
    'cannot turn %s off, however it is written',
    (name) => {
      const postgres = { settings: { [name.toUpperCase()]: 'off' }, userId: 999 };
      // The command line goes before all files.
      expect(postgresFiles(postgres, sizes)['entry.sh']).toContain(`-c ${name}=on`);
    },
  );
});
