import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogBatch } from './batch-codec.js';
import { type LogStorage, type OpenedLog, openLogStorage } from './log-storage.js';
import type { LogSnapshot, RecoveredLog } from './types.js';

let directory: string;
let storage: LogStorage | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'replaced-log-'));
});
afterEach(async () => {
  await storage?.close();
  storage = null;
  rmSync(directory, { recursive: true });
});

async function reopen(): Promise<OpenedLog> {
  await storage?.close();
  const log = await openLogStorage({ directory, segmentSizeBytes: 4096 });
  storage = log.storage;
  return log;
}

const batch = (term: number, ...indexes: number[]): LogBatch => ({
  hardState: { term, vote: 2, commit: 0 },
  entries: indexes.map((index) => ({ index, term, kind: 1, data: new Uint8Array(300) })),
  snapshot: null,
});
const snapshot = (index: number, term: number): LogSnapshot => ({
  ...{ index, term, configuration: new Uint8Array() },
  chunks: [new Uint8Array([1])],
});
const segments = (): number => readdirSync(directory).filter((name) => name.endsWith('.log')).length;
const terms = ({ entries }: RecoveredLog): [number, number][] =>
  entries.map(({ index, term }) => [index, term]);

describe('a log', () => {
  it.each([
    ['is of another history', 2, 2],
    ['ends behind it', 10, 3],
  ])('goes on behind a snapshot which %s, if a crash prevented its record', async (_which, index, term) => {
    const { storage: log } = await reopen();
    await log.append(batch(1, 1, 2, 3));
    await log.saveSnapshot(snapshot(index, term));
    const { storage: again, recovered } = await reopen();
    const hardState = { term: 1, vote: 2, commit: 0 };
    expect(recovered).toMatchObject({ snapshot: { index, term }, entries: [], hardState });
    await again.append(batch(term, index + 1));
    for (let start = 1; start <= 2; start += 1) {
      const later = (await reopen()).recovered;
      expect(later.snapshot).toEqual({ index, term });
      expect(terms(later)).toEqual([[index + 1, term]]);
    }
  });

  it('is read where entries were written over whose first ones stood in a segment that is gone', async () => {
    const { storage: log } = await reopen();
    const append = async (from: number, to: number, term: number): Promise<void> => {
      for (let index = from; index <= to; index += 1) await log.append(batch(term, index));
    };
    let last = 0;
    while (segments() < 2) await append((last += 1), last, 1);
    await append(last + 1, last + 1, 1);
    // Another leader has other ones, from before the end of the first segment on.
    await append(last - 2, last + 2, 2);
    expect(segments()).toBe(2);
    await log.saveSnapshot(snapshot(last, 2));
    await log.compact(last);
    expect(segments()).toBe(1);
    expect(terms((await reopen()).recovered)).toEqual([
      [last + 1, 2],
      [last + 2, 2],
    ]);
  });
});
