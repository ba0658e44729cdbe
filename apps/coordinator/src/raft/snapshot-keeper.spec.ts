import { describe, expect, it } from '@jest/globals';
import { emptyConfiguration, entryKinds } from '@ringleader/raft';
import { defaultRaftSettings } from './raft-node.js';
import { SnapshotKeeper, type SnapshotKeeperParts } from './snapshot-keeper.js';

/** Up to which index the log was forgotten after each snapshot. */
async function forgotten(
  sizes: readonly number[],
  settings: { trailingEntries: number; trailingBytes: number },
): Promise<number> {
  const compacted: number[] = [];
  const index = sizes.length;
  const keeper = new SnapshotKeeper({
    member: {
      status: () => ({ appliedIndex: index }),
      termAt: () => 1,
      configurationAt: () => emptyConfiguration,
      compact: (upTo: number) => compacted.push(upTo),
    },
    storage: {
      hasRoom: true,
      saveSnapshot: () => Promise.resolve('written'),
      compact: () => Promise.resolve(),
    },
    stateMachine: { snapshot: () => [] },
    settings: { ...defaultRaftSettings, ...settings },
    onEvent: () => undefined,
  } as unknown as SnapshotKeeperParts);
  sizes.forEach((sizeBytes, i) => {
    keeper.countApplied({ index: i + 1, term: 1, kind: entryKinds.command, data: new Uint8Array(sizeBytes) });
  });
  await keeper.take();
  return compacted[0] ?? -1;
}

describe('a snapshot', () => {
  const small = Array.from({ length: 3_000 }, () => 100);

  it('leaves so many entries in the log', async () => {
    const settings = { trailingEntries: 1_000, trailingBytes: 1_000_000 };
    expect(await forgotten(small, settings)).toBe(2_000);
    expect(await forgotten(small.slice(0, 500), settings)).toBe(0);
    expect(await forgotten(small, { ...settings, trailingEntries: 0 })).toBe(3_000);
  });

  it('leaves fewer where they are large: they stay in memory, too', async () => {
    const settings = { trailingEntries: 1_000, trailingBytes: 1_000_000 };
    const large = Array.from({ length: 50 }, () => 100_000);
    const left = 3_050 - (await forgotten([...small, ...large], settings));
    expect(left).toBeGreaterThan(7);
    expect(left).toBeLessThanOrEqual(10);
    expect(await forgotten([...small, 2_000_000], settings)).toBe(3_001);
  });
});
