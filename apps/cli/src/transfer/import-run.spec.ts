import { describe, expect, it } from '@jest/globals';
import type { BatchOutcome } from './batch-sender.js';
import type { Refusal } from './import-line.js';
import { ImportRun, START, type ImportRunOptions, type Position } from './import-run.js';
import type { Line } from './input.js';

const NOTHING: BatchOutcome = { created: 0, replaced: 0, refusals: [] };

const linesOf = (texts: readonly string[]): Line[] =>
  texts.map((text, i) => ({ number: i + 1, end: i + 1, content: { kind: 'text', text } }));

/** One at a time, and how many were taken. */
class Source {
  taken = 0;

  constructor(private readonly lines: readonly Line[]) {}

  async *read(): AsyncGenerator<readonly Line[], void> {
    for (const line of this.lines) {
      this.taken += 1;
      yield Promise.resolve([line]);
    }
  }
}

const wrong = Array.from({ length: 10_000 }, () => '[]');
const puts = Array.from({ length: 1_000 }, (_, i) => JSON.stringify({ key: `k${i}`, value: 'v' }));

function runOf(source: Source, settled: ImportRunOptions['settled']): Promise<Position> {
  return new ImportRun({
    lines: source.read(),
    close: () => undefined,
    from: START,
    send: () => Promise.resolve(NOTHING),
    batchesInFlight: 2,
    operationsPerBatch: 10,
    signal: new AbortController().signal,
    settled,
  }).run();
}

describe('an import', () => {
  it('gathers no more than a thousand refused lines, however many follow each other', async () => {
    const told: (readonly Refusal[])[] = [];
    const position = await runOf(new Source(linesOf(wrong)), (_position, refusals) => {
      told.push(refusals);
      return Promise.resolve();
    });
    expect(position).toMatchObject({ lines: 10_000, refused: 10_000 });
    expect(told.map(({ length }) => length)).toEqual(Array(10).fill(1_000));
    expect(told.flat().map(({ line }) => line)).toEqual(wrong.map((_, i) => i + 1));
  });

  it.each([
    ['refused lines', wrong, 3_001],
    ['puts', puts, 31],
  ])(
    'reads no further than its batches in flight while nobody takes what is settled: %s',
    async (_what, texts, taken) => {
      const source = new Source(linesOf(texts));
      const { promise, resolve } = Promise.withResolvers<void>();
      let isHeld = true;
      const run = runOf(source, () => (isHeld ? promise : Promise.resolve()));
      for (let before = -1; before !== source.taken;) {
        before = source.taken;
        await new Promise(setImmediate);
      }
      expect(source.taken).toBe(taken);
      isHeld = false;
      resolve();
      expect((await run).lines).toBe(texts.length);
    },
  );

  it('stops where what is settled cannot be written down', async () => {
    const source = new Source(linesOf(puts));
    const run = runOf(source, () => Promise.reject(new Error('the disk is full')));
    await expect(run).rejects.toThrow('the disk is full');
    expect(source.taken).toBeLessThan(100);
  });
});
