import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { coordinatorConfigSchema, founderSeats } from './coordinator.config.js';

const MINIMUM = { RINGLEADER_MEMBER: 'c-1', RINGLEADER_COORDINATOR_ID: '1', RINGLEADER_DATA_DIR: '/data' };

describe('coordinator configuration', () => {
  it('has defaults for all but what is the member’s own', () => {
    const config = loadConfig(coordinatorConfigSchema, MINIMUM);
    expect(config).toMatchObject({ RINGLEADER_PARTITION_COUNT: 256, RINGLEADER_REPLICATION_FACTOR: 3 });
    expect(founderSeats(config)).toEqual([1, 2, 3]);
  });

  it('lets one in that is to join from any seat there may be', () => {
    const joining = { ...MINIMUM, RINGLEADER_COORDINATOR_ID: '9', RINGLEADER_BOOTSTRAP: 'join' };
    expect(loadConfig(coordinatorConfigSchema, joining)).toMatchObject({ RINGLEADER_COORDINATOR_ID: 9 });
  });

  it('takes the word from a file, as it is when the process starts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coordinator-config-'));
    const file = join(folder, 'bootstrap');
    const load = () =>
      loadConfig(coordinatorConfigSchema, {
        ...{ ...MINIMUM, RINGLEADER_COORDINATOR_ID: '3', RINGLEADER_COORDINATOR_COUNT: '1' },
        RINGLEADER_BOOTSTRAP_FILE: file,
      });
    await writeFile(file, 'join\n');
    const config = load();
    expect(config).toMatchObject({ RINGLEADER_BOOTSTRAP: 'join' });
    // Only founders have their seats counted.
    await writeFile(file, 'new-cluster');
    expect(config).toMatchObject({ RINGLEADER_BOOTSTRAP: 'join' });
    expect(load).toThrow(/RINGLEADER_COORDINATOR_ID: must not be above/);
    await writeFile(file, 'found');
    expect(load).toThrow(/RINGLEADER_BOOTSTRAP: /);
    await rm(folder, { recursive: true });
    expect(load).toThrow(/RINGLEADER_BOOTSTRAP_FILE: .* cannot be read: ENOENT/);
  });

  it('takes an eighth of the memory for the store, or a quarter of the heap that there is', () => {
    const sizeBytesMax = (memory: object): number =>
      loadConfig(coordinatorConfigSchema, { ...MINIMUM, ...memory }, null).RINGLEADER_STORE_BYTES_MAX;
    expect(sizeBytesMax({ RINGLEADER_MEMORY_MIB: '256' })).toBe(32 * 1_048_576);
    const quarter = getHeapStatistics().heap_size_limit / 4;
    expect(Math.abs(sizeBytesMax({}) - quarter)).toBeLessThan(1_048_576);
  });

  it.each([
    ['RINGLEADER_STORE_BYTES_MAX', { RINGLEADER_STORE_BYTES_MAX: '1000' }],
    ['RINGLEADER_COMPACTION_EVENTS', { RINGLEADER_COMPACTION_EVENTS: '0' }],
    ['RINGLEADER_COMPACTION_AGE_MS', { RINGLEADER_COMPACTION_AGE_MS: '1h' }],
    ['RINGLEADER_COORDINATOR_ID', { RINGLEADER_COORDINATOR_ID: '10', RINGLEADER_BOOTSTRAP: 'join' }],
    ['RINGLEADER_BOOTSTRAP', { RINGLEADER_BOOTSTRAP: 'found' }],
    ['RINGLEADER_COORDINATOR_ID', { RINGLEADER_COORDINATOR_ID: '4' }],
    ['RINGLEADER_COORDINATOR_COUNT', { RINGLEADER_COORDINATOR_COUNT: '4' }],
    ['RINGLEADER_PARTITION_COUNT', { RINGLEADER_PARTITION_COUNT: '100' }],
    ['RINGLEADER_REPLICATION_FACTOR', { RINGLEADER_INITIAL_SHARDS: '2' }],
    ['RINGLEADER_RAFT_ELECTION_TICKS', { RINGLEADER_RAFT_HEARTBEAT_TICKS: '3' }],
    ['RINGLEADER_DATA_DIR', { RINGLEADER_DATA_DIR: '' }],
  ])('names %s when it is wrong', (variable, change) => {
    expect(() => loadConfig(coordinatorConfigSchema, { ...MINIMUM, ...change })).toThrow(variable);
  });
});
