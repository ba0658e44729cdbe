import { describe, expect, it } from '@jest/globals';
import { BALANCER_STRATEGIES, TargetLoads } from '@ringleader/balancer';
import { seededPrng } from '@ringleader/primitives';
import { ReplicaPicker } from './replica-picker.js';
import { ShardDirectory } from './shard-directory.js';

const REPLICAS = [1, 2, 3];

class Setting {
  readonly shards = new ShardDirectory();
  readonly suspects = new Set<number>();
  readonly picker: ReplicaPicker;

  constructor(strategy: (typeof BALANCER_STRATEGIES)[number], slowStartMs = 10_000) {
    for (const shard of REPLICAS) this.shards.learn(shard, { name: `shard-${shard}`, weight: 1 });
    this.shards.isSuspect = (shard) => this.suspects.has(shard);
    const loads = new TargetLoads();
    this.picker = new ReplicaPicker({
      ...{ strategy, slowStartMs, loads, prng: seededPrng(1), shards: this.shards },
    });
    // Whoever was new is not any more.
    this.pick(0);
  }

  /** Of a thousand requests in this second, how many each shard gets. */
  thousand(second: number): number[] {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 1_000; i++) counts[this.pick(second * 1_000 + i, i)]! += 1;
    return counts;
  }

  private pick(now: number, n = 0): number {
    return this.picker.pick(REPLICAS, { now, hash: Math.imul(n, 0x9e3779b1) >>> 0 })!;
  }
}

describe.each(BALANCER_STRATEGIES)('by %s', (strategy) => {
  it('takes a suspect out at once, and brings it back little by little', () => {
    const setting = new Setting(strategy);
    const full = setting.thousand(20)[3]!;
    setting.suspects.add(3);
    expect(setting.thousand(21)[3]).toBe(0);
    setting.suspects.delete(3);
    const back = [22, 24, 26, 28, 33].map((second) => setting.thousand(second)[3]!);
    expect(back[0]).toBeGreaterThan(0);
    expect(back[0]).toBeLessThan(full / 3);
    expect(back[2]).toBeGreaterThan(back[0]!);
    expect(back[2]).toBeLessThan(full * 0.85);
    expect(Math.abs(back[4]! - full)).toBeLessThan(full * 0.15);
  });

  it('counts whom it picked', () => {
    const setting = new Setting(strategy);
    const [, ...counts] = setting.thousand(20);
    const sums = REPLICAS.map((shard) => setting.picker.picks.get(`${strategy} shard-${shard}`) ?? 0);
    expect(sums.reduce((a, b) => a + b, 0)).toBe(1_001);
    sums.forEach((sum, i) => expect(Math.abs(sum - counts[i]!)).toBeLessThanOrEqual(1));
  });
});

describe('a picker', () => {
  it('takes the weights that the places have, then those that were registered', () => {
    const setting = new Setting('weighted-random');
    setting.shards.place(1, 8);
    expect(setting.thousand(20)[1]).toBeGreaterThan(750);
    setting.shards.displace(1);
    expect(setting.thousand(30)[1]).toBeLessThan(400);
  });

  it('goes on with another strategy, and counts each by its own name', () => {
    const setting = new Setting('round-robin');
    setting.picker.use('random');
    setting.thousand(20);
    setting.picker.use(null);
    expect(setting.picker.strategy).toBe('round-robin');
    expect([...setting.picker.picks.keys()].map((key) => key.split(' ')[0])).toEqual(
      expect.arrayContaining(['round-robin', 'random']),
    );
  });

  it('counts a shard that came back under another ordinal by its name', () => {
    const setting = new Setting('round-robin');
    setting.shards.learn(4, { name: 'shard-3', weight: 1 });
    for (let i = 0; i < 10; i++) setting.picker.pick([3, 4], { now: 20_000, hash: i });
    const { picks } = setting.picker;
    expect([...picks].filter(([key]) => key.endsWith('shard-3'))).toHaveLength(1);
    expect(picks.get('round-robin shard-3')).toBeGreaterThanOrEqual(10);
  });
});
