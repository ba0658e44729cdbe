import { describe, expect, it } from '@jest/globals';
import { batchOf, snapshot, terms, testLog } from '../test/log.fixtures.js';

const log = testLog();

describe('a log', () => {
  it.each([
    ['is of another history', 2, 2],
    ['ends behind it', 10, 3],
  ])('goes on behind a snapshot which %s, if a crash prevented its record', async (_which, index, term) => {
    const { storage } = await log.reopen();
    await storage.append(batchOf(1, 1, 2, 3));
    await storage.saveSnapshot(snapshot(index, term));
    const { storage: again, recovered } = await log.reopen();
    const hardState = { term: 1, vote: 2, commit: 0 };
    expect(recovered).toMatchObject({ snapshot: { index, term }, entries: [], hardState });
    await again.append(batchOf(term, index + 1));
    for (let start = 1; start <= 2; start += 1) {
      const later = (await log.reopen()).recovered;
      expect(later.snapshot).toEqual({ index, term });
      expect(terms(later)).toEqual([[index + 1, term]]);
    }
  });

  it('is read where entries were written over whose first ones stood in a segment that is gone', async () => {
    const { storage } = await log.reopen();
    const append = async (from: number, to: number, term: number): Promise<void> => {
      for (let index = from; index <= to; index += 1) await storage.append(batchOf(term, index));
    };
    let last = 0;
    while (log.segments().length < 2) await append((last += 1), last, 1);
    await append(last + 1, last + 1, 1);
    // Another leader has other ones, from before the end of the first segment on.
    await append(last - 2, last + 2, 2);
    expect(log.segments()).toHaveLength(2);
    await storage.saveSnapshot(snapshot(last, 2));
    await storage.compact(last);
    expect(log.segments()).toHaveLength(1);
    expect(terms((await log.reopen()).recovered)).toEqual([
      [last + 1, 2],
      [last + 2, 2],
    ]);
  });
});
