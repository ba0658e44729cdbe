import { describe, expect, it } from '@jest/globals';
import { AHEAD_MS_MAX, packHybridTime } from './hybrid-clock.js';
import { GatewayClock } from './gateway-clock.js';

const WALL_MS = 1_790_000_000_000;
const HOUR_MS = 3_600_000;
const at = (wallMs: number): number => packHybridTime({ wallMs, counter: 0 });

class Setting {
  now = 1_000;
  aheadMs = 0;
  readonly clock = new GatewayClock({
    monotonicMs: () => this.now,
    wallMs: () => this.wallMs + this.aheadMs,
  });

  get wallMs(): number {
    return WALL_MS + this.now;
  }

  hear(aheadMs = 0): void {
    this.clock.merge(at(this.wallMs + aheadMs));
  }
}

describe('GatewayClock', () => {
  it('goes by its own clock while that is believed, and while no shard was heard', () => {
    const setting = new Setting();
    setting.aheadMs = HOUR_MS;
    expect(setting.clock.stamp()).toBe(at(setting.wallMs + HOUR_MS));
    const near = new Setting();
    near.aheadMs = AHEAD_MS_MAX;
    near.hear();
    expect(near.clock.stamp()).toBe(at(near.wallMs + AHEAD_MS_MAX));
  });

  it('goes by the shard that is furthest ahead where its own is not believed, and on with it', () => {
    const setting = new Setting();
    setting.aheadMs = HOUR_MS;
    for (const aheadMs of [-HOUR_MS, 0, -HOUR_MS]) setting.hear(aheadMs);
    for (let turn = 0; turn < 100; turn += 1) {
      expect(setting.clock.stamp()).toBe(at(setting.wallMs));
      setting.now += 1_000;
      setting.hear(-HOUR_MS);
      if (turn % 50 === 0) setting.hear();
    }
    expect(setting.clock.refused).toBe(100);
  });

  it('is not ahead any more when its own has been set right', () => {
    const setting = new Setting();
    setting.aheadMs = HOUR_MS;
    setting.clock.stamp();
    setting.hear();
    setting.clock.stamp();
    setting.aheadMs = 0;
    for (let stamps = 1; stamps < 4; stamps += 1)
      expect(setting.clock.stamp()).toBe(at(setting.wallMs) + stamps);
    expect(setting.clock.refused).toBe(1);
  });

  it('forgets what it heard long ago', () => {
    const setting = new Setting();
    setting.aheadMs = HOUR_MS;
    setting.hear(HOUR_MS);
    expect(setting.clock.stamp()).toBe(at(setting.wallMs + HOUR_MS) + 1);
    for (let minutes = 0; minutes < 3; minutes += 1) {
      setting.now += 60_000;
      setting.hear();
    }
    expect(setting.clock.stamp()).toBe(at(setting.wallMs));
  });
});
