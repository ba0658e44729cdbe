import { describe, expect, it } from '@jest/globals';
import { inboxPrefix, speakerOf, subjects } from './subjects.js';

const shard = { service: 'shard', member: 2 } as const;

describe('subjects', () => {
  it('begin with who speaks', () => {
    expect(subjects.peer.from('local', shard, 3)).toBe('rl.local.shard.2.peer.3');
    expect(subjects.ask.from('local', { service: 'gateway', member: 'gateway-1' }, 1, 'txn')).toBe(
      'rl.local.gateway.gateway-1.ask.1.txn',
    );
    expect(inboxPrefix('local', shard)).toBe('_INBOX.rl.local.shard.2');
  });

  it('are subscribed to for all speakers that there may be', () => {
    expect(subjects.peer.to('local', 3)).toBe('rl.local.shard.*.peer.3');
    expect(subjects.heartbeat.to('local')).toBe('rl.local.*.*.heartbeat');
  });

  it('tell the speaker', () => {
    expect(speakerOf('rl.local.shard.2.peer.3')).toEqual({ service: 'shard', member: '2' });
    for (const other of [
      '',
      'rl',
      'rl.local.cat.1.peer',
      'xx.local.shard.2.peer',
      '_INBOX.rl.local.shard.2',
    ]) {
      expect(speakerOf(other)).toBeNull();
    }
  });

  it('name nothing twice', () => {
    const all = Object.values(subjects).map(({ declaration }) => declaration.what.join('.'));
    expect(new Set(all).size).toBe(all.length);
  });

  it('do not compile for a service that may not say it', () => {
    // @ts-expect-error only shards speak to their peers
    expect(subjects.peer.from('local', { service: 'gateway', member: 'g' }, 3)).toBe(
      'rl.local.gateway.g.peer.3',
    );
  });
});
