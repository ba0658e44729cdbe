import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { ManualClock } from '../test/manual-clock.js';
import { PrefixMirror } from './prefix-mirror.js';
import type { MirrorChange } from './prefix-mirror.js';

describe('PrefixMirror', () => {
  let coordinator: FakeCoordinator;
  let clock: ManualClock;
  let mirror: PrefixMirror;
  let changes: { revision: number; puts: string[]; deletes: readonly string[] }[];
  let troubles: string[];

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    clock = new ManualClock();
    changes = [];
    troubles = [];
    mirror = new PrefixMirror({
      client: coordinator,
      clock,
      prefix: '/m/',
      onChange: ({ revision, puts, deletes }: MirrorChange) => {
        changes.push({ revision, puts: puts.map(({ key, value }) => `${key}=${value}`), deletes });
      },
      onTrouble: ({ code }) => troubles.push(code),
    });
  });

  afterEach(() => mirror.stop());

  const reached = (revision: number): Promise<void> =>
    until(`revision ${revision}`, () => mirror.revision >= revision, { timeoutMs: 5_000, everyMs: 1 });

  it('lists what is there, in pages, and nothing else', async () => {
    coordinator.pageSize = 2;
    coordinator.put(['/m/a', '1'], ['/m/b', '1'], ['/m/c', '1'], ['/n', '1'], ['/l', '1']);
    await mirror.start();
    expect([...mirror.items.keys()]).toEqual(['/m/a', '/m/b', '/m/c']);
    expect(changes).toEqual([{ revision: 1, puts: ['/m/a=1', '/m/b=1', '/m/c=1'], deletes: [] }]);
  });

  it('follows puts and deletions, and is silent about other keys', async () => {
    await mirror.start();
    coordinator.put(['/m/a', '1'], ['/n', '1']);
    await reached(1);
    coordinator.put(['/n', '2']);
    await reached(2);
    coordinator.remove('/m/a');
    await reached(3);
    expect(changes).toEqual([
      { revision: 1, puts: ['/m/a=1'], deletes: [] },
      { revision: 3, puts: [], deletes: ['/m/a'] },
    ]);
  });

  it('lists again after a gap, and reports the difference only', async () => {
    coordinator.put(['/m/a', '1'], ['/m/b', '1']);
    await mirror.start();
    await until('the watch', () => coordinator.calls.includes('watch'), { timeoutMs: 5_000, everyMs: 1 });
    coordinator.failNext('watch', 'COMPACTED');
    coordinator.put(['/m/a', '2'], ['/m/c', '1']);
    coordinator.remove('/m/b');
    await reached(3);
    expect(troubles).toEqual(['COMPACTED']);
    expect([...mirror.items.keys()]).toEqual(['/m/a', '/m/c']);
    expect(changes.flatMap(({ deletes }) => deletes)).toEqual(['/m/b']);
    expect(changes.flatMap(({ puts }) => puts)).toEqual(['/m/a=1', '/m/b=1', '/m/a=2', '/m/c=1']);
  });

  it('lists again now and then, whatever the watch says', async () => {
    const lists = (): number => coordinator.calls.filter((operation) => operation === 'range').length;
    await mirror.start();
    await until('the watch', () => coordinator.calls.includes('watch'), { timeoutMs: 5_000, everyMs: 1 });
    expect(lists()).toBe(1);
    clock.now += 300_000;
    coordinator.put(['/m/a', '1']);
    await until('another list', () => lists() === 2, { timeoutMs: 5_000, everyMs: 1 });
  });

  it('does not list again together with all that began when it did', async () => {
    const lists = (): number => coordinator.calls.filter((operation) => operation === 'range').length;
    const watches = (): number => coordinator.calls.filter((operation) => operation === 'watch').length;
    const others = Array.from(
      { length: 40 },
      () => new PrefixMirror({ client: coordinator, clock, prefix: '/m/' }),
    );
    await Promise.all(others.map((other) => other.start()));
    await until('all watches', () => watches() === others.length, { timeoutMs: 5_000, everyMs: 1 });
    clock.now += 225_000;
    coordinator.put(['/m/a', '1']);
    await until('some lists', () => watches() > others.length, { timeoutMs: 5_000, everyMs: 1 });
    expect(lists()).toBeLessThan(2 * others.length);
    for (const other of others) other.stop();
  });

  it('goes on where it stood after a member could not be asked', async () => {
    await mirror.start();
    coordinator.failNext('watch', 'UNAVAILABLE');
    coordinator.put(['/m/a', '1']);
    await reached(1);
    expect(troubles).toEqual(['UNAVAILABLE']);
    expect(coordinator.calls.filter((operation) => operation === 'range')).toHaveLength(1);
  });

  it('lists again where nobody has served a watch for long', async () => {
    await mirror.start();
    await until('the watch', () => coordinator.calls.includes('watch'), { timeoutMs: 5_000, everyMs: 1 });
    clock.now += 10_001;
    coordinator.failNext('watch', 'UNAVAILABLE');
    coordinator.put(['/m/a', '1']);
    await reached(1);
    expect(coordinator.calls.filter((operation) => operation === 'range')).toHaveLength(2);
  });

  it('tries the first list again until it succeeds', async () => {
    coordinator.put(['/m/a', '1']);
    coordinator.failNext('range', 'UNAVAILABLE');
    await mirror.start();
    expect(mirror.items.get('/m/a')?.value).toBe('1');
  });

  it('says how old it may be', async () => {
    expect(mirror.stalenessMs()).toBeNull();
    await mirror.start();
    await until('the watch', () => coordinator.calls.includes('watch'), { timeoutMs: 5_000, everyMs: 1 });
    clock.now += 700;
    expect(mirror.stalenessMs()).toBe(700);
    coordinator.put(['/m/a', '1']);
    await reached(1);
    expect(mirror.stalenessMs()).toBe(0);
  });
});
