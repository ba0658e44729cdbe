import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { batch, entry, terms, testLog } from '../test/log.fixtures.js';

const log = testLog();

describe('a write that was not finished', () => {
  /** The bytes of the segment with and without its last record. */
  async function lastRecord(): Promise<{ path: string; whole: Buffer; start: number; end: number }> {
    await log.write(3);
    const path = join(log.directory, log.segments()[0]!);
    const before = readFileSync(path);
    const { storage } = await log.open();
    await storage.append(batch([entry(4, 1, 'a'.repeat(700)), entry(5, 1, 'b'.repeat(700))], 4));
    await log.close(storage);
    const whole = readFileSync(path);
    const start = whole.findIndex((byte, i) => byte !== before[i]);
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    return { path, whole, start, end };
  }

  it('is cut off, wherever it stops, and reported; all before it stays', async () => {
    const { path, whole, start, end } = await lastRecord();
    for (let cut = start; cut < end; cut += cut < start + 64 || cut > end - 64 ? 1 : 37) {
      const torn = Buffer.from(whole);
      torn.fill(0, cut);
      writeFileSync(path, torn);
      const recovered = await log.recover();
      expect(terms(recovered)).toEqual([
        [1, 1],
        [2, 1],
        [3, 1],
      ]);
      expect(recovered.hardState.term).toBe(3);
      expect(recovered.repairs).toHaveLength(cut === start ? 0 : 1);
      // It is repaired for good.
      expect((await log.recover()).repairs).toEqual([]);
    }
  });

  it('is cut off when the disk wrote its sectors in another order', async () => {
    const { path, whole, start, end } = await lastRecord();
    const firstSector = Math.ceil(start / 512) * 512;
    for (let sector = firstSector - 512; sector + 512 <= end; sector += 512) {
      const torn = Buffer.from(whole);
      torn.fill(0, Math.max(sector, start), sector + 512);
      writeFileSync(path, torn);
      const recovered = await log.recover();
      expect(terms(recovered)).toHaveLength(3);
      expect(recovered.repairs).toHaveLength(1);
    }
  });

  it('is cut off when a sector boundary runs through its header', async () => {
    await log.write(1, 346);
    const path = join(log.directory, log.segments()[0]!);
    const start = readFileSync(path).findLastIndex((byte) => byte !== 0) + 1;
    expect(start).toBeGreaterThan(488);
    expect(start).toBeLessThan(512);
    const { storage } = await log.open();
    await storage.append(batch([entry(2, 1)]));
    await log.close(storage);
    const whole = readFileSync(path);
    for (const [from, to] of [
      [start, 512],
      [512, 1024],
    ] as const) {
      const torn = Buffer.from(whole);
      torn.fill(0, from, to);
      writeFileSync(path, torn);
      const recovered = await log.recover();
      expect(terms(recovered)).toEqual([[1, 1]]);
      expect(recovered.repairs).toHaveLength(1);
    }
  });

  it('lets the log go on in its place', async () => {
    const { path, whole, start } = await lastRecord();
    const torn = Buffer.from(whole);
    torn.fill(0, start + 100);
    writeFileSync(path, torn);
    const { storage } = await log.open();
    await storage.append(batch([entry(4, 9)], 9));
    await log.close(storage);
    expect(terms(await log.recover()).at(-1)).toEqual([4, 9]);
  });
});
