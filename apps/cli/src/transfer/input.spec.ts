import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openInput, type Line } from './input.js';

describe('openInput', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-lines-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const read = async (text: string | Buffer, offset = 0, lines = 0, max = 100): Promise<Line[]> => {
    await writeFile(join(dir, 'file'), text);
    const found: Line[] = [];
    const input = await openInput(join(dir, 'file'));
    for await (const some of input.read({ offset, lines }, max)) found.push(...some);
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

  it('does not pass off a file that was changed meanwhile as read', async () => {
    const file = join(dir, 'file');
    await writeFile(file, 'one\ntwo\n');
    const input = await openInput(file);
    const lines = input.read({ offset: 0, lines: 0 }, 100);
    expect(await lines.next()).toMatchObject({ value: [{ number: 1 }, { number: 2 }] });
    await writeFile(file, 'one\n');
    const rest = async () => {
      for await (const some of lines) expect(some).toEqual([]);
    };
    await expect(rest()).rejects.toThrow('was changed while it was read');
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

  const texts = (lines: readonly Line[]) =>
    lines.map(({ content }) => (content.kind === 'text' ? content.text : content.kind));

  it('takes a byte order mark for what it is, but only in front', async () => {
    expect(await read('\uFEFFone\n\uFEFFtwo\n')).toEqual([
      { number: 1, end: 7, content: { kind: 'text', text: 'one' } },
      { number: 2, end: 14, content: { kind: 'text', text: '\uFEFFtwo' } },
    ]);
    await expect(read(Buffer.from('\uFEFF{}', 'utf16le'))).rejects.toThrow(/UTF-16/);
  });

  it('unpacks what is compressed, whatever its name, and goes on in the middle of it', async () => {
    const packed = gzipSync('one\ntwo\nthree');
    expect(texts(await read(packed))).toEqual(['one', 'two', 'three']);
    expect(await read(packed, 4, 1)).toEqual([
      { number: 2, end: 8, content: { kind: 'text', text: 'two' } },
      { number: 3, end: 13, content: { kind: 'text', text: 'three' } },
    ]);
    // Several members one behind the other are one file (RFC 1952).
    expect(texts(await read(Buffer.concat([gzipSync('a\n'), gzipSync('b\n')])))).toEqual(['a', 'b']);
  });

  it('says that a compressed file was cut off, behind the lines that are there', async () => {
    const whole = gzipSync(`${'x'.repeat(50)}\n`);
    await expect(read(whole.subarray(0, -9))).rejects.toThrow(/damaged or was cut off/);
  });

  it('says what cannot be read', async () => {
    await expect(openInput(join(dir, 'none'))).rejects.toThrow(/There is no file/);
    await expect(openInput(dir)).rejects.toThrow(/is not a file/);
  });
});
