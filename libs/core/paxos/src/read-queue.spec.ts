import { describe, expect, it } from '@jest/globals';
import { ReadQueue } from './read-queue.js';
import type { StorageRead } from './storage.js';

describe('ordered reads', () => {
  const page = (start: string, base: number) => ({
    ...({ kind: 'page', partition: 0, generation: 1, start, base, keysOnly: true } as const),
    ...{ limitRows: 10, limitBytes: 1_000 },
  });
  const startsOf = (reads: readonly StorageRead[]): string[] =>
    reads.map((read) => (read.kind === 'page' ? read.start : read.kind));

  function queueOf(...pages: readonly [start: string, base: number][]) {
    const queue = new ReadQueue();
    const answered: string[] = [];
    for (const [start, base] of pages)
      queue.page(
        () => page(start, base),
        () => answered.push(start),
      );
    const answer = (reads: readonly StorageRead[], start: string): void => {
      const { id } = reads.find((read) => read.kind === 'page' && read.start === start)!;
      queue.done({ kind: 'page', id, rows: [], nextKey: null });
    };
    return { queue, answered, answer };
  }

  it('that may pass a whole generation go out one at a time, and others do not wait for them', () => {
    const { queue, answered, answer } = queueOf(['a', 7], ['b', 7], ['c', 0], ['d', 7], ['e', 0]);
    const first = queue.take();
    expect(startsOf(first)).toEqual(['a', 'c', 'e']);
    answer(first, 'c');
    expect(queue.take()).toEqual([]);
    answer(first, 'a');
    const second = queue.take();
    expect(startsOf(second)).toEqual(['b']);
    answer(second, 'b');
    expect(startsOf(queue.take())).toEqual(['d']);
    expect(answered).toEqual(['c', 'a', 'b']);
  });

  it('are built of what is so when they go out, and withdrawn by then', () => {
    const queue = new ReadQueue();
    let base: number | null = 1;
    queue.page(
      () => page('a', 5),
      () => undefined,
    );
    queue.page(
      () => (base === null ? null : page('b', base)),
      () => undefined,
    );
    queue.page(
      () => (base === null ? null : page('c', base)),
      () => undefined,
    );
    const [read] = queue.take();
    base = 9;
    queue.done({ kind: 'page', id: read!.id, rows: [], nextKey: null });
    const [next] = queue.take();
    expect(next).toMatchObject({ start: 'b', base: 9 });
    base = null;
    queue.done({ kind: 'page', id: next!.id, rows: [], nextKey: null });
    expect(queue.take()).toEqual([]);
  });
});
