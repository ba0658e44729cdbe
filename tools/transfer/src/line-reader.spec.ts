import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines, type Line } from './line-reader.js';

describe('readLines', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-lines-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const read = async (text: string, offset = 0, lines = 0, max = 100): Promise<Line[]> => {
    await writeFile(join(dir, 'file'), text);
    const found: Line[] = [];
    for await (const line of readLines(join(dir, 'file'), { offset, lines }, max)) found.push(line);
    return found;
  };

  it('gives lines with their place in bytes, the last one also without a line feed', async () => {
    expect(await read('ä\n\nb')).toEqual([
      { number: 1, end: 3, text: 'ä' },
      { number: 2, end: 4, text: '' },
      { number: 3, end: 5, text: 'b' },
    ]);
    expect(await read('')).toEqual([]);
  });

  it('goes on from a place in the middle', async () => {
    expect(await read('one\ntwo\nthree\n', 4, 1)).toEqual([
      { number: 2, end: 8, text: 'two' },
      { number: 3, end: 14, text: 'three' },
    ]);
  });

  it('does not keep a line that is too long, and finds the next', async () => {
    expect(await read(`${'x'.repeat(3_000_000)}\nb\n`)).toEqual([
      { number: 1, end: 3_000_001, text: undefined },
      { number: 2, end: 3_000_003, text: 'b' },
    ]);
  });
});
