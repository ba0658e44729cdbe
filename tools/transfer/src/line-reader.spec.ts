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

  const read = async (text: string | Buffer, offset = 0, lines = 0, max = 100): Promise<Line[]> => {
    await writeFile(join(dir, 'file'), text);
    const found: Line[] = [];
    for await (const line of readLines(join(dir, 'file'), { offset, lines }, max)) found.push(line);
    return found;
  };

  it('gives lines with their place in bytes, the last one also without a line feed', async () => {
    expect(await read('ä\n\nb')).toEqual([
      { number: 1, end: 3, content: { kind: 'text', text: 'ä' } },
      { number: 2, end: 4, content: { kind: 'text', text: '' } },
      { number: 3, end: 5, content: { kind: 'text', text: 'b' } },
    ]);
    expect(await read('')).toEqual([]);
  });

  it('goes on from a place in the middle', async () => {
    expect(await read('one\ntwo\nthree\n', 4, 1)).toEqual([
      { number: 2, end: 8, content: { kind: 'text', text: 'two' } },
      { number: 3, end: 14, content: { kind: 'text', text: 'three' } },
    ]);
  });

  it('does not keep a line that is too long, and finds the next', async () => {
    expect(await read(`${'x'.repeat(3_000_000)}\nb\n`)).toEqual([
      { number: 1, end: 3_000_001, content: { kind: 'tooLong' } },
      { number: 2, end: 3_000_003, content: { kind: 'text', text: 'b' } },
    ]);
  });

  it('says which lines are not UTF-8, rather than decode them into something else', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a\n'),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from('b'),
    ]);
    expect((await read(bytes)).map(({ content }) => content.kind)).toEqual(['text', 'notUtf8', 'text']);
  });
});
