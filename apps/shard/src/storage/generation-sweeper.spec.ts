import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { GenerationSweeper } from './generation-sweeper.js';

/** Deletes as a database would that takes so long for a row, and remembers what was asked of it, and when. */
class PacedRows {
  readonly parts: { generation: number; rows: number; beganAt: number; endedAt: number }[] = [];
  atOnce = 0;
  atOnceMost = 0;

  constructor(
    private readonly left: Map<number, number>,
    private readonly msPerRow: number,
  ) {}

  readonly run = async (_statement: unknown, values: readonly unknown[]): Promise<(string | null)[][]> => {
    const [generation = 0, limit = 0] = [Number(values[1]), Number(values[3])];
    this.atOnce += 1;
    this.atOnceMost = Math.max(this.atOnceMost, this.atOnce);
    const beganAt = performance.now();
    const present = this.left.get(generation) ?? 0;
    const rows = Math.min(present, limit);
    await pause(rows * this.msPerRow);
    this.left.set(generation, present - rows);
    this.parts.push({ generation, rows, beganAt, endedAt: performance.now() });
    this.atOnce -= 1;
    return [[String(rows), '\\x6b']];
  };
}

describe('GenerationSweeper', () => {
  it('removes one generation after the other, and leaves the connection to others for ten times as long as it takes it', async () => {
    const database = new PacedRows(new Map([1, 2, 3].map((generation) => [generation, 300])), 0.05);
    const sweeper = new GenerationSweeper(database);
    await Promise.all([1, 2, 3].map((generation) => sweeper.remove({ partition: 5, generation })));
    const { parts, atOnceMost } = database;
    expect(atOnceMost).toBe(1);
    expect([...new Set(parts.map(({ generation }) => generation))]).toEqual([1, 2, 3]);
    expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(900);
    for (const [index, part] of parts.entries()) {
      const next = parts[index + 1];
      if (next?.generation !== part.generation) continue;
      // A pause ends after 250 ms, also where a part took long; timers fire up to a millisecond early.
      const atLeast = Math.min(10 * (part.endedAt - part.beganAt), 249);
      expect(next.beganAt - part.endedAt).toBeGreaterThanOrEqual(atLeast);
    }
  });

  it('takes smaller parts where a row takes longer, and larger ones where it is nothing', async () => {
    const slow = new PacedRows(new Map([[1, 240]]), 0.5);
    await new GenerationSweeper(slow).remove({ partition: 5, generation: 1 });
    expect(slow.parts.at(-2)?.rows).toBeLessThanOrEqual(32);
    const quick = new PacedRows(new Map([[1, 5_000]]), 0);
    await new GenerationSweeper(quick).remove({ partition: 5, generation: 1 });
    expect(quick.parts[0]?.rows).toBe(128);
    expect(Math.max(...quick.parts.map(({ rows }) => rows))).toBe(1_024);
  });

  it('goes on with the others where one could not be removed, and says so', async () => {
    let calls = 0;
    const run = (): Promise<(string | null)[][]> => {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error('lost')) : Promise.resolve([['0', null]]);
    };
    const sweeper = new GenerationSweeper({ run });
    const first = sweeper.remove({ partition: 5, generation: 1 });
    const second = sweeper.remove({ partition: 5, generation: 2 });
    await expect(first).rejects.toThrow('lost');
    await expect(second).resolves.toBeUndefined();
  });
});
