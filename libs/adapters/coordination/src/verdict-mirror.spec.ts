import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verdictKey } from '@ringleader/contracts';
import type { VerdictRecord } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { ManualClock } from '../test/manual-clock.js';
import { VerdictMirror } from './verdict-mirror.js';

const KEY = verdictKey('shard', 'shard-1');
const recordOf = (verdict: VerdictRecord['verdict']): VerdictRecord => ({
  ...{ service: 'shard', id: 'shard-1', instance: 'i', verdict, since: '2026-11-26T00:00:00.000Z' },
  votes: [],
});

describe('VerdictMirror', () => {
  let coordinator: FakeCoordinator;
  let mirror: VerdictMirror;
  let heard: string[];

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    mirror = new VerdictMirror({ client: coordinator, clock: new ManualClock() });
    heard = [];
  });

  afterEach(() => mirror.stop());

  const told = (count: number): Promise<void> =>
    until(`${count} changes`, () => heard.length === count, { timeoutMs: 5_000, everyMs: 1 });

  it('follows the verdicts, and says of who has none that it is alive', async () => {
    expect(mirror.stalenessMs()).toBeNull();
    coordinator.put([KEY, JSON.stringify(recordOf('suspect'))]);
    mirror.onChange((changed) => heard.push(...changed.map(({ id, verdict }) => `${id} ${verdict}`)));
    await mirror.start();
    expect(mirror.record('shard', 'shard-1')).toEqual(recordOf('suspect'));
    expect(mirror.verdict('gateway', 'shard-1')).toBe('alive');
    coordinator.put([KEY, JSON.stringify(recordOf('down'))]);
    await told(2);
    expect(mirror.verdict('shard', 'shard-1')).toBe('down');
    coordinator.remove(KEY);
    await told(3);
    expect(heard).toEqual(['shard-1 suspect', 'shard-1 down', 'shard-1 alive']);
    expect([mirror.verdict('shard', 'shard-1'), mirror.record('shard', 'shard-1')]).toEqual(['alive', null]);
  });

  it('knows all that it can read, whatever a newer version has written beside it', async () => {
    const other = { ...recordOf('suspect'), id: 'shard-2' };
    coordinator.put(
      [KEY, JSON.stringify({ ...recordOf('down'), verdict: 'drowsy' })],
      [verdictKey('shard', 'shard-2'), JSON.stringify(other)],
    );
    await mirror.start();
    expect(['shard-1', 'shard-2'].map((id) => mirror.verdict('shard', id))).toEqual(['alive', 'suspect']);
    mirror.onChange((changed) => heard.push(...changed.map(({ id, verdict }) => `${id} ${verdict}`)));
    coordinator.put([KEY, JSON.stringify(recordOf('down'))]);
    await told(1);
    coordinator.put([KEY, JSON.stringify({ ...recordOf('down'), verdict: 'drowsy' })]);
    await told(2);
    expect(heard).toEqual(['shard-1 down', 'shard-1 alive']);
  });

  it('tells nobody who has unsubscribed', async () => {
    const leave = mirror.onChange(() => heard.push('left'));
    mirror.onChange(() => heard.push('stayed'));
    leave();
    coordinator.put([KEY, JSON.stringify(recordOf('down'))]);
    await mirror.start();
    expect(heard).toEqual(['stayed']);
  });
});
