import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { batch, entry, readSnapshot, snapshot, terms, testLog } from '../test/log.fixtures.js';

const log = testLog();

describe('damage', () => {
  it('of any bit of any record stops the start, and names the place', async () => {
    await log.write(6, 30);
    const path = join(log.directory, log.segments()[0]!);
    const whole = readFileSync(path);
    const end = whole.findLastIndex((byte) => byte !== 0) + 1;
    const healthy = terms(await log.recover());
    for (let at = 0; at < end; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      writeFileSync(path, damaged);
      const outcome = await log
        .recover()
        .catch((error: unknown) => error as { code: string; details: { file: string } });
      if ('code' in outcome) {
        expect(outcome).toMatchObject({ code: 'LOG_CORRUPT', details: { file: path } });
      } else {
        // Bits between records mean nothing.
        expect(terms(outcome)).toEqual(healthy);
      }
    }
  }, 30_000);

  it('of what was acknowledged in an older segment stops the start', async () => {
    await log.write(40, 300);
    const path = join(log.directory, log.segments()[1]!);
    const damaged = readFileSync(path);
    damaged.fill(0, damaged.findLastIndex((byte) => byte !== 0) - 20);
    writeFileSync(path, damaged);
    await expect(log.recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: path } });
  });

  it('is a missing segment', async () => {
    await log.write(60, 300);
    const copy = mkdtempSync(join(tmpdir(), 'log-storage-copy-'));
    for (const missing of log.segments()) {
      cpSync(log.directory, copy, { recursive: true });
      unlinkSync(join(copy, missing));
      await expect(log.recover(copy)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    }
    rmSync(copy, { recursive: true });
  });

  it('is a snapshot without its log, and a log without its snapshot', async () => {
    const { storage } = await log.open();
    for (let i = 1; i <= 60; i++) await storage.append(batch([entry(i, 1, 'z'.repeat(300))]));
    await storage.saveSnapshot(snapshot(50, 1));
    await storage.compact(50);
    await log.close(storage);
    const copy = mkdtempSync(join(tmpdir(), 'log-storage-copy-'));
    cpSync(log.directory, copy, { recursive: true });
    for (const name of log.segments(copy)) unlinkSync(join(copy, name));
    await expect(log.recover(copy)).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    rmSync(copy, { recursive: true });
    unlinkSync(
      join(
        log.directory,
        readdirSync(log.directory).find((name) => name.endsWith('.snapshot'))!,
      ),
    );
    await expect(log.recover()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('of a snapshot is found when it is read', async () => {
    const { storage } = await log.open();
    await storage.append(batch([entry(1, 1)]));
    await storage.saveSnapshot(snapshot(1, 1));
    const path = join(
      log.directory,
      readdirSync(log.directory).find((name) => name.endsWith('.snapshot'))!,
    );
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 4;
      writeFileSync(path, damaged);
      const { storage: second } = await log.reopen();
      await expect(readSnapshot(second)).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        details: { file: path },
      });
      await log.close(second);
    }
  });
});
