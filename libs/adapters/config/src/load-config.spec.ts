import { describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { z } from 'zod';
import { commonConfig, integer, loadConfig } from './load-config.js';

const schema = z.object({ ...commonConfig, RINGLEADER_PARTITION_COUNT: integer(16, 16_384).default(256) });

describe('loadConfig', () => {
  it('parses numbers, applies defaults and freezes', () => {
    const config = loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_PARTITION_COUNT: '64' });
    expect(config).toMatchObject({ RINGLEADER_CLUSTER: 'local', RINGLEADER_PARTITION_COUNT: 64 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes an empty variable as absent', () => {
    const config = loadConfig(schema, { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_CLUSTER: '' });
    expect(config.RINGLEADER_CLUSTER).toBe('local');
  });

  it('names every variable that is wrong', () => {
    const load = (): unknown =>
      loadConfig(schema, { RINGLEADER_NATS_URL: 'nonsense', RINGLEADER_PARTITION_COUNT: '3' });
    expect(load).toThrow(OperationalError);
    expect(load).toThrow(/RINGLEADER_NATS_URL.*RINGLEADER_MEMBER.*RINGLEADER_PARTITION_COUNT/);
  });
});
