import { describe, expect, it } from '@jest/globals';
import { closeSync, openSync, writeSync } from 'node:fs';
import { LineWriter } from './line-writer.js';

const tells = (lost: number): string => `lost ${lost}\n`;
const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('LineWriter', () => {
  let text: string;
  /** How many bytes there is room for. */
  let room: number;
  function writer(code = 'ENOSPC'): LineWriter {
    text = '';
    room = Number.POSITIVE_INFINITY;
    return new LineWriter(tells, (bytes, from) => {
      const taken = bytes.subarray(from, from + room).toString();
      if (taken === '') throw failure(code);
      room -= taken.length;
      text += taken;
      return taken.length;
    });
  }

  it.each(['ENOSPC', 'EAGAIN', 'EPIPE', 'EIO'])('loses lines at %s, and tells how many', (code) => {
    const lines = writer(code);
    lines.write('one\n');
    room = 0;
    for (const line of ['two\n', 'three\n', 'four\n']) lines.write(line);
    room = Number.POSITIVE_INFINITY;
    lines.write('five\n');
    lines.write('six\n');
    expect(text).toBe('one\nlost 3\nfive\nsix\n');
  });

  it('begins a line of its own behind one that was torn', () => {
    const lines = writer();
    room = 6;
    lines.write('one\n');
    lines.write('two\n');
    lines.write('three\n');
    room = Number.POSITIVE_INFINITY;
    lines.write('four\n');
    expect(text).toBe('one\ntw\nlost 2\nfour\n');
  });

  it('throws nothing on a full device', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const lines = new LineWriter(tells, (bytes, from) => writeSync(full, bytes, from));
      for (let i = 0; i < 3; i += 1) lines.write('a line\n');
    } finally {
      closeSync(full);
    }
  });
});
