import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LogStorage } from '@ringleader/log-storage';
import { type Entry, entryKinds } from '@ringleader/raft';
import { Applier } from './applier.js';

const TURN_MS = 10;

describe('the applier', () => {
  let now: number;
  let commandMs: number;
  /** What happened, in order. */
  let history: string[];
  let restored: { promise: Promise<void>; resolve: () => void };
  let applier: Applier<number>;

  beforeEach(() => {
    now = 0;
    commandMs = 4;
    history = [];
    restored = Promise.withResolvers<void>();
    const note =
      (what: string) =>
      (detail: unknown): void => {
        history.push(`${what} ${String(detail)}`);
      };
    const stateMachine = {
      // Each command takes its time.
      apply: ({ index }: { readonly index: number }) => ((now += commandMs), history.push(`apply ${index}`)),
      snapshot: () => [],
      restore: () => restored.promise,
    };
    const storage: Pick<LogStorage, 'openSnapshot'> = {
      openSnapshot: (point) =>
        Promise.resolve({
          ...point,
          configuration: new Uint8Array(),
          chunks: [],
          close: async () => undefined,
        }),
    };
    const member = { applied: note('member') };
    const settings = { applyTurnMs: TURN_MS };
    const proposals = {
      open: (command: Uint8Array) => ({ ownId: null, command }),
      applied: note('answer'),
      termApplied: note('term'),
      skippedTo: note('skipped to term'),
    };
    const snapshots = { countApplied: ({ index }: Entry) => void note('count')(index) };
    const listeners = { proposals, reads: { applied: note('reads') }, snapshots };
    applier = new Applier({ member, storage, stateMachine, settings, nowMs: () => now }, listeners, 1);
  });

  const entries = (from: number, to: number, term = 1): Entry[] =>
    Array.from({ length: to - from + 1 }, (_, i) => ({
      index: from + i,
      term,
      kind: entryKinds.command,
      data: new Uint8Array(1),
    }));
  const happened = (...kinds: string[]): string[] =>
    history.filter((line) => kinds.some((kind) => line.startsWith(`${kind} `)));

  it('ends a turn when its time is over, and says how far it has come: others have theirs in between', () => {
    applier.take(entries(1, 8));
    const reached: string[][] = [];
    while (applier.turn()) {
      reached.push(happened('member', 'reads').slice(-2));
      // The core hands out nothing while there is something left.
      applier.take([]);
    }
    expect(reached).toEqual([
      ['member 3', 'reads 3'],
      ['member 6', 'reads 6'],
      ['member 8', 'reads 8'],
    ]);
    expect(happened('apply')).toEqual(Array.from({ length: 8 }, (_, i) => `apply ${i + 1}`));
    expect(happened('count')).toHaveLength(8);
  });

  it('applies one entry in each turn, however long that takes', () => {
    commandMs = 10 * TURN_MS;
    applier.take(entries(1, 3));
    expect([applier.turn(), applier.turn()]).toEqual([true, true]);
    expect(happened('apply', 'member')).toEqual(['apply 1', 'member 1', 'apply 2', 'member 2']);
  });

  it('says which term has begun before its first entry is applied', () => {
    applier.take([...entries(1, 1), ...entries(2, 2, 3)]);
    applier.turn();
    expect(happened('apply', 'term')).toEqual(['apply 1', 'term 3', 'apply 2']);
  });

  it('applies nothing of what a snapshot replaces once it is being restored', async () => {
    applier.take(entries(1, 8));
    applier.turn();
    const restoring = applier.restore({ index: 20, term: 2 });
    expect(applier.turn()).toBe(false);
    expect(happened('member')).toEqual(['member 3']);
    restored.resolve();
    await restoring;
    expect(happened('member', 'skipped', 'reads').slice(-3)).toEqual([
      'member 20',
      'skipped to term 2',
      'reads 20',
    ]);
    applier.take(entries(21, 21, 2));
    applier.turn();
    expect(happened('term')).toEqual([]);
    expect(happened('apply').at(-1)).toBe('apply 21');
  });
});
