import { describe, expect, it } from '@jest/globals';
import { unreadyReasons } from './cluster-health.js';

describe('a gateway', () => {
  const facts = { transportConnected: true, partitions: 16, partitionsWithoutLeader: 0 };

  it.each<[Partial<typeof facts>, readonly string[]]>([
    [{}, []],
    [{ partitionsWithoutLeader: 15 }, []],
    [{ partitionsWithoutLeader: 16 }, ['16 of 16 partitions have no leader']],
    [{ partitions: 0 }, ['there is no partition map yet']],
    [{ transportConnected: false }, ['the gateway is not connected to NATS']],
  ])('with %j is ready but for %j', (change, reasons) => {
    expect(unreadyReasons({ ...facts, ...change })).toEqual(reasons);
  });
});
