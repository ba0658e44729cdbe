import { describe, expect, it } from '@jest/globals';
import { SERVICES } from './cluster-metadata.js';
import { mayWrite } from './metadata-writers.js';
import type { WrittenRange } from './metadata-writers.js';

const shard = { service: 'shard', member: 'shard-1' } as const;
const gateway = { service: 'gateway', member: 'gateway-1' } as const;

describe('who may write what', () => {
  it.each(SERVICES)('lets a %s write its own registration, and nobody else’s', (service) => {
    const speaker = { service, member: 'me' };
    expect(mayWrite(speaker, { key: `/ringleader/members/${service}/me` })).toBe(true);
    expect(mayWrite(speaker, { key: `/ringleader/members/${service}/you` })).toBe(false);
    expect(mayWrite(speaker, { key: `/ringleader/members/${service}/me/` })).toBe(false);
    for (const other of SERVICES.filter((name) => name !== service)) {
      expect(mayWrite(speaker, { key: `/ringleader/members/${other}/me` })).toBe(false);
    }
  });

  it('lets a shard write its place and the ordinals, and others not', () => {
    for (const key of ['/ringleader/shards/shard-1', '/ringleader/shard-ordinals']) {
      expect([mayWrite(shard, { key }), mayWrite(gateway, { key })]).toEqual([true, false]);
    }
    expect(mayWrite(shard, { key: '/ringleader/shards/shard-2' })).toBe(false);
  });

  it('lets gateways write the settings, for operators, and nobody else', () => {
    const writers = SERVICES.filter((service) =>
      mayWrite({ service, member: 'm' }, { key: '/ringleader/settings' }),
    );
    expect(writers).toEqual(['gateway']);
  });

  it('lets gateways write the records of tokens, and nobody else', () => {
    for (const service of SERVICES) {
      const speaker = { service, member: 'm' };
      expect(mayWrite(speaker, { key: '/ringleader/tokens/abcdefghijkl' })).toBe(service === 'gateway');
      expect(mayWrite(speaker, { key: '/ringleader/tokens/' })).toBe(false);
      expect(mayWrite(speaker, { key: '/ringleader/tokens/', rangeEnd: '/ringleader/tokens0' })).toBe(false);
    }
  });

  it.each(['/ringleader/cluster', '/ringleader/partitions/00001', '/ringleader/'])(
    'lets no request write %s',
    (key) => {
      for (const service of SERVICES) expect(mayWrite({ service, member: 'm' }, { key })).toBe(false);
    },
  );

  const ranges: [WrittenRange, boolean][] = [
    [{ key: 'a' }, true],
    [{ key: '/ringleader' }, true],
    [{ key: '/ringleader0' }, true],
    [{ key: 'a', rangeEnd: 'b' }, true],
    [{ key: '', rangeEnd: '/ringleader/' }, true],
    [{ key: '/ringleader0', rangeEnd: '' }, true],
    [{ key: '', rangeEnd: '' }, false],
    [{ key: '/ringleader', rangeEnd: '/ringleader/a' }, false],
    [{ key: '/ringleader/members/shard/shard-1', rangeEnd: '/ringleader/members/shard/shard-1\0' }, false],
    [{ key: '/ringleader/z', rangeEnd: '/ringleader0' }, false],
    [{ key: '/', rangeEnd: '\u{10ffff}' }, false],
  ];
  it.each(ranges)('of a range: %j is %s', (range, expected) => {
    expect(mayWrite(shard, range)).toBe(expected);
  });
});
