import { describe, expect, it } from '@jest/globals';
import { WorkQueue } from './work-queue.js';

/** Work that ends when the test says so. */
class Work {
  readonly begun: string[] = [];
  readonly failures: number[] = [];
  readonly #ends: PromiseWithResolvers<number | null>[] = [];
  #awaited: { readonly count: number; readonly resolve: () => void } | null = null;
  readonly queue = new WorkQueue({
    work: (key) => {
      this.begun.push(key);
      const end = Promise.withResolvers<number | null>();
      this.#ends.push(end);
      if (this.#awaited !== null && this.begun.length >= this.#awaited.count) this.#awaited.resolve();
      return end.promise;
    },
    onFailure: (_key, _error, failures) => this.failures.push(failures),
    concurrency: 2,
  });

  async runs(count: number): Promise<void> {
    if (this.begun.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { count, resolve };
    await promise;
  }

  end(index: number, againMs: number | null = null): void {
    this.#ends[index]?.resolve(againMs);
  }

  fail(index: number): void {
    this.#ends[index]?.reject(new Error('failed'));
  }
}

describe('a queue of keys', () => {
  it('runs a key once for all that came before, once more for what came meanwhile, and never twice at once', async () => {
    const work = new Work();
    for (let i = 0; i < 5; i += 1) work.queue.add('a');
    await work.runs(1);
    work.queue.add('a');
    work.queue.add('a');
    work.queue.add('b');
    await work.runs(2);
    expect(work.begun).toEqual(['a', 'b']);
    work.end(0);
    await work.runs(3);
    expect(work.begun).toEqual(['a', 'b', 'a']);
    work.end(1);
    work.end(2);
    await work.queue.stop();
    expect(work.begun).toHaveLength(3);
  });

  it('comes back to a key when it said so, or when it failed', async () => {
    const work = new Work();
    work.queue.add('a');
    await work.runs(1);
    work.end(0, 1);
    await work.runs(2);
    work.fail(1);
    await work.runs(3);
    work.fail(2);
    await work.runs(4);
    expect(work.failures).toEqual([1, 2]);
    work.end(3);
    await work.queue.stop();
  });

  it('lets what runs end when it is stopped, and begins nothing', async () => {
    const work = new Work();
    work.queue.add('a');
    await work.runs(1);
    work.queue.add('b');
    const stopped = work.queue.stop();
    work.end(0, 0);
    await stopped;
    work.queue.add('c');
    expect(work.begun).toEqual(['a']);
  });
});
