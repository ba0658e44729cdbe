import { beforeEach, describe, expect, it } from '@jest/globals';
import { ModelCluster } from '../../test/model-cluster.js';
import { applyChanges } from './changes.js';
import { type Command, decideCommand } from './commands.js';

const shards = (count: number): object[] => Array.from({ length: count }, () => ({}));

describe('decideCommand', () => {
  let cluster: ModelCluster;
  beforeEach(() => {
    cluster = new ModelCluster({ shards: shards(4) });
    cluster.settles();
  });

  /** The code of the refusal; null when it is done. */
  const ask = (command: Command, ifEpoch?: number): string | null => {
    const decided = decideCommand(cluster.state, command, cluster.nowMs, ifEpoch);
    if (decided.kind === 'refused') return decided.code;
    const next = applyChanges(cluster.state, decided.changes);
    expect(next?.control?.epoch).toBe(decided.epoch);
    cluster.state = next!;
    return null;
  };
  const detailsOf = (command: Command): object | null => {
    const decided = decideCommand(cluster.state, command, cluster.nowMs);
    return decided.kind === 'refused' ? decided.details : null;
  };
  const [drain, undrain, remove] = (['drain', 'undrain', 'remove'] as const).map(
    (kind) => (shard: string) => ask({ kind, shard }),
  ) as [(shard: string) => string | null, (shard: string) => string | null, (shard: string) => string | null];

  it('drains as long as enough are left that are active and not down', () => {
    expect(drain('shard-9')).toBe('SHARD_NOT_FOUND');
    expect(drain('shard-1')).toBeNull();
    expect(drain('shard-1')).toBe('ALREADY_SO');
    expect(drain('shard-2')).toBe('REPLICATION_AT_RISK');
    expect(undrain('shard-1')).toBeNull();
    expect(undrain('shard-1')).toBe('ALREADY_SO');
    cluster.kill('shard-3');
    for (let tick = 0; tick < 20; tick++) cluster.tick();
    expect(drain('shard-1')).toBe('REPLICATION_AT_RISK');
    expect(drain('shard-3')).toBeNull();
  });

  it('removes who holds nothing, and nobody else', () => {
    expect(remove('shard-1')).toBe('SHARD_HOLDS_DATA');
    drain('shard-1');
    expect(remove('shard-1')).toBe('SHARD_HOLDS_DATA');
    cluster.settles();
    expect(undrain('shard-1')).toBeNull();
    expect(cluster.state.places.get(1)?.state).toBe('joining');
    expect(drain('shard-1')).toBeNull();
    expect(remove('shard-1')).toBeNull();
    expect(cluster.state.registrations.has('shard-1')).toBe(false);
    expect(remove('shard-1')).toBe('SHARD_NOT_FOUND');
  });

  it('removes who was given up once it holds nothing, and does not take it back', () => {
    cluster.join({});
    cluster.settles();
    cluster.kill('shard-2');
    for (let tick = 0; tick < 100; tick++) cluster.tick();
    expect(cluster.state.places.get(2)?.state).toBe('replaced');
    expect([drain('shard-2'), undrain('shard-2')]).toEqual(['ALREADY_SO', 'SHARD_NOT_FOUND']);
    cluster.settles();
    expect(remove('shard-2')).toBeNull();
    expect(cluster.state.places.has(2)).toBe(false);
  });

  it('changes nothing that is so already, and nothing of another epoch', () => {
    const { epoch } = cluster.state.control!;
    expect(ask({ kind: 'pause' }, epoch + 1)).toBe('PRECONDITION_FAILED');
    expect(ask({ kind: 'resume' })).toBe('ALREADY_SO');
    expect([ask({ kind: 'pause' }, epoch), ask({ kind: 'pause' })]).toEqual([null, 'ALREADY_SO']);
    const weight = { kind: 'weight', shard: 'shard-1', weight: 2 } as const;
    expect([ask(weight), ask(weight)]).toEqual([null, 'ALREADY_SO']);
    const limits = { kind: 'limits', limits: { movesMax: 7 } } as const;
    expect([ask(limits), ask(limits)]).toEqual([null, 'ALREADY_SO']);
    expect(cluster.state.control).toMatchObject({ epoch: epoch + 3, paused: true, limits: { movesMax: 7 } });
    expect(ask({ kind: 'cancel' })).toBe('NOTHING_TO_CANCEL');
    expect(ask({ kind: 'cancel', partition: 3 })).toBe('NOTHING_TO_CANCEL');
  });

  it('tells the pause of the operator from that of a person, which takes its place and which it cannot end', () => {
    const by = 'operator';
    expect(ask({ kind: 'resume', by })).toBe('ALREADY_SO');
    expect([ask({ kind: 'pause', by }), ask({ kind: 'pause', by })]).toEqual([null, 'ALREADY_SO']);
    expect(cluster.state.control).toMatchObject({ paused: true, pausedBy: by });
    expect(ask({ kind: 'resume', by })).toBeNull();
    expect(cluster.state.control?.pausedBy).toBeUndefined();
    expect([ask({ kind: 'pause', by }), ask({ kind: 'pause' }), ask({ kind: 'pause' })]).toEqual([
      ...[null, null, 'ALREADY_SO'],
    ]);
    expect(ask({ kind: 'resume', by })).toBe('ALREADY_SO');
    expect(cluster.state.control).toMatchObject({ paused: true });
    expect(cluster.state.control?.pausedBy).toBeUndefined();
    expect([ask({ kind: 'resume' }), ask({ kind: 'pause', by }), ask({ kind: 'resume' })]).toEqual([
      ...[null, null, null],
    ]);
  });

  it('takes back one move, which lets the others go first', () => {
    cluster.join({});
    for (let tick = 0; tick < 2; tick++) cluster.tick();
    const [partition] = [...cluster.state.moves.keys()] as [number];
    expect(ask({ kind: 'cancel', partition })).toBeNull();
    expect(ask({ kind: 'cancel', partition })).toBe('NOTHING_TO_CANCEL');
    cluster.tick();
    expect(cluster.state.map[partition]?.learners).toEqual([]);
    for (let tick = 0; tick < 20; tick++) cluster.tick();
    expect(cluster.state.moves.has(partition)).toBe(false);
    expect(cluster.settles()).toBe(true);
    expect(cluster.state.control?.paused).toBe(false);
  });

  it('tells programs, too, what is in the way', () => {
    const names = ['shard-1', 'shard-2', 'shard-3', 'shard-4'];
    expect(detailsOf({ kind: 'drain', shard: 'shard-9' })).toEqual({ shard: 'shard-9', shards: names });
    const replicas = cluster.state.map.filter((entry) => entry.replicas.includes(1)).length;
    const held = { shard: 'shard-1', state: 'active', replicas };
    expect(detailsOf({ kind: 'remove', shard: 'shard-1' })).toEqual(held);
    const { weight } = cluster.state.places.get(1)!;
    drain('shard-1');
    expect(detailsOf({ kind: 'drain', shard: 'shard-1' })).toEqual({ shard: 'shard-1', state: 'draining' });
    const left = { shard: 'shard-2', shards: 2, replicationFactor: 3 };
    expect(detailsOf({ kind: 'drain', shard: 'shard-2' })).toEqual(left);
    ask({ kind: 'weight', shard: 'shard-1', weight: weight + 1 });
    expect(detailsOf({ kind: 'weight', shard: 'shard-1', weight: weight + 1 })).toMatchObject({
      shard: 'shard-1',
    });
    expect(detailsOf({ kind: 'cancel', partition: 3 })).toEqual({ partition: 3 });
  });

  it('has nothing to place before there is a map', () => {
    cluster.state = { ...cluster.state, control: null };
    expect(drain('shard-1')).toBe('UNAVAILABLE');
  });
});
