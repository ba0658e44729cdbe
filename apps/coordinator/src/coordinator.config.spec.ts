import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { coordinatorConfigSchema, coordinatorMembers } from './coordinator.config.js';

const MINIMUM = { RINGLEADER_MEMBER: 'c-1', RINGLEADER_COORDINATOR_ID: '1', RINGLEADER_DATA_DIR: '/data' };

describe('coordinator configuration', () => {
  it('has defaults for all but what is the member’s own', () => {
    const config = loadConfig(coordinatorConfigSchema, MINIMUM);
    expect(config).toMatchObject({ RINGLEADER_PARTITION_COUNT: 256, RINGLEADER_REPLICATION_FACTOR: 3 });
    expect(coordinatorMembers(config)).toEqual([1, 2, 3]);
  });

  it('lets one in that is to join from any seat there may be', () => {
    const joining = { ...MINIMUM, RINGLEADER_COORDINATOR_ID: '9', RINGLEADER_BOOTSTRAP: 'join' };
    expect(loadConfig(coordinatorConfigSchema, joining)).toMatchObject({ RINGLEADER_COORDINATOR_ID: 9 });
  });

  it.each([
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
