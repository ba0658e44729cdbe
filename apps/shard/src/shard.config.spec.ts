import { describe, expect, it } from '@jest/globals';
import { HYBRID_CLOCKS_DIFFER_MS_MAX } from '@ringleader/hybrid-clock';
import { RULES, RULES_WITHOUT_LEASE } from '@ringleader/paxos';
import { paxosRules, paxosTimings, shardConfigSchema } from './shard.config.js';

const NEEDED = { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_POSTGRES_URL: 'postgres://localhost/shard' };

describe('the configuration of a shard', () => {
  it('proves reads by leases, unless it is told to do without', () => {
    expect(paxosRules(shardConfigSchema.parse(NEEDED))).toBe(RULES);
    const confirm = shardConfigSchema.parse({ ...NEEDED, RINGLEADER_READ_PROOF: 'confirm' });
    expect(paxosRules(confirm)).toBe(RULES_WITHOUT_LEASE);
    const { error } = shardConfigSchema.safeParse({ ...NEEDED, RINGLEADER_READ_PROOF: 'none' });
    expect(error?.issues[0]?.path).toEqual(['RINGLEADER_READ_PROOF']);
  });

  it('reaches as far back for the first attempt of a repeat as clients repeat and clocks differ', () => {
    const { repeatWindowMs, clocksDifferMs } = paxosTimings(shardConfigSchema.parse(NEEDED));
    expect(repeatWindowMs).toBe(60_000);
    expect(clocksDifferMs).toBe(HYBRID_CLOCKS_DIFFER_MS_MAX);
  });
});
