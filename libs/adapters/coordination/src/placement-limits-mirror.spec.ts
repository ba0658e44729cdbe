import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type OperationalError,
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_LIMITS_DEFAULT,
} from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { ManualClock } from '../test/manual-clock.js';
import { PlacementLimitsMirror } from './placement-limits-mirror.js';

describe('PlacementLimitsMirror', () => {
  let coordinator: FakeCoordinator;
  let mirror: PlacementLimitsMirror;
  let heard: number[];
  let troubles: OperationalError[];
  let unreadable: OperationalError[];

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    heard = [];
    troubles = [];
    unreadable = [];
    mirror = new PlacementLimitsMirror({
      client: coordinator,
      clock: new ManualClock(),
      onChange: ({ bytesPerSecondMax }) => heard.push(bytesPerSecondMax),
      onTrouble: (error) => troubles.push(error),
      onUnreadable: (error) => unreadable.push(error),
    });
  });

  afterEach(() => mirror.stop());

  function set(bytesPerSecondMax: number): void {
    const limits = { ...PLACEMENT_LIMITS_DEFAULT, bytesPerSecondMax };
    coordinator.put([PLACEMENT_CONTROL_KEY, JSON.stringify({ epoch: 1, paused: false, limits })]);
  }

  it('has the usual limits where operators have said nothing', async () => {
    coordinator.put([`${PLACEMENT_CONTROL_KEY}/else`, 'not read']);
    await mirror.start();
    expect(mirror.limits).toEqual(PLACEMENT_LIMITS_DEFAULT);
    expect(heard).toEqual([]);
  });

  it('has what operators have said, and follows it', async () => {
    set(1_000_000);
    await mirror.start();
    expect(heard).toEqual([1_000_000]);
    set(70_000);
    await until('the change is heard', () => heard.length === 2, { timeoutMs: 5_000, everyMs: 1 });
    expect(mirror.limits.bytesPerSecondMax).toBe(70_000);
  });

  it('keeps to what it has where the newest cannot be read, and says so once for each change', async () => {
    set(1_000_000);
    await mirror.start();
    coordinator.put([PLACEMENT_CONTROL_KEY, 'of another version']);
    await until('it to be told of', () => unreadable.length > 0, { timeoutMs: 5_000, everyMs: 1 });
    expect([mirror.limits.bytesPerSecondMax, mirror.isUnreadable]).toEqual([1_000_000, true]);
    coordinator.put([`${PLACEMENT_CONTROL_KEY}/else`, 'not read']);
    set(70_000);
    await until('the change is heard', () => heard.length === 2, { timeoutMs: 5_000, everyMs: 1 });
    expect([mirror.limits.bytesPerSecondMax, mirror.isUnreadable]).toEqual([70_000, false]);
    expect(unreadable).toMatchObject([{ code: 'INTERNAL', details: { key: PLACEMENT_CONTROL_KEY } }]);
    // The mirror itself went on: nothing is listed again.
    expect(troubles).toEqual([]);
  });
});
