import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { batchOf, testLog } from '../test/log.fixtures.js';

const log = testLog();

describe('the identity', () => {
  const founders = [
    { seat: 1, id: 2 ** 52 + 1 },
    { seat: 2, id: 7 },
  ];
  const identity = { cluster: 'local', seat: 2, id: 7, founders: null, isBegun: false };
  const path = (): string => join(log.directory, 'identity');

  describe('beside segments of another member', () => {
    const names = ['one', 'other'];
    const [one = '', other = ''] = names;
    const place = (name: string): string => join(log.directory, name);
    const openIn = (name: string) => log.open({ directory: place(name) });
    const logs = (name: string): string[] => log.segments(place(name));
    beforeEach(async () => {
      for (const [i, name] of names.entries()) {
        const { storage } = await openIn(name);
        await storage.saveIdentity({ ...identity, founders, id: founders[i]!.id, isBegun: true });
        for (let index = 1; index <= 20; index++) await storage.append(batchOf(1, index));
        await log.close(storage);
      }
    });

    it('refuses any of them: votes and entries in them are not its own', async () => {
      expect(logs(one).length).toBeGreaterThan(1);
      for (const file of logs(one)) {
        const own = readFileSync(join(place(one), file));
        writeFileSync(join(place(one), file), readFileSync(join(place(other), file)));
        await expect(openIn(one)).rejects.toMatchObject({
          code: 'LOG_FOREIGN',
          message: expect.stringContaining(join(place(one), file)) as unknown,
        });
        writeFileSync(join(place(one), file), own);
      }
      const { storage, recovered } = await openIn(one);
      expect(recovered.entries).toHaveLength(20);
      await log.close(storage);
    });

    it('refuses them also where it has agreed on no founders yet', async () => {
      const { storage } = await openIn('new');
      await storage.saveIdentity(identity);
      await log.close(storage);
      for (const file of logs(other))
        writeFileSync(join(place('new'), file), readFileSync(join(place(other), file)));
      await expect(openIn('new')).rejects.toMatchObject({ code: 'LOG_FOREIGN' });
    });

    it('takes those that do not say whose they are, and marks them', async () => {
      const unmark = (name: string): void => {
        for (const file of logs(name)) {
          const bytes = readFileSync(join(place(name), file));
          bytes.writeUInt32LE(0, 44);
          writeFileSync(join(place(name), file), bytes);
        }
      };
      unmark(one);
      const { storage, recovered } = await openIn(one);
      expect(recovered.entries).toHaveLength(20);
      await log.close(storage);
      for (const file of logs(one)) expect(readFileSync(join(place(one), file)).readUInt32LE(44)).not.toBe(0);
    });
  });

  it('is kept beside the log, and replaced as a whole', async () => {
    const { storage, recovered } = await log.open();
    expect(recovered.identity).toBeNull();
    await storage.saveIdentity(identity);
    await log.close(storage);
    expect((await log.recover()).identity).toEqual(identity);
    const again = await log.open();
    await again.storage.saveIdentity({ ...identity, founders, isBegun: true });
    await log.close(again.storage);
    writeFileSync(`${path()}.partial`, 'half of');
    expect((await log.recover()).identity).toEqual({ ...identity, founders, isBegun: true });
    expect(readdirSync(log.directory)).not.toContain('identity.partial');
  });

  it('that was damaged stops the start', async () => {
    const { storage } = await log.open();
    await storage.saveIdentity(identity);
    await log.close(storage);
    const text = readFileSync(path(), 'utf8');
    for (const damaged of [text.replace('"id":7', '"id":8'), text.slice(0, 20), '']) {
      writeFileSync(path(), damaged);
      await expect(log.open()).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        message: expect.stringContaining(`${path()} at byte 0: the checksum of the identity`) as unknown,
      });
    }
  });

  it('without a log shows that the log is lost', async () => {
    const { storage } = await log.open();
    await storage.saveIdentity(identity);
    await log.close(storage);
    for (const name of log.segments()) unlinkSync(join(log.directory, name));
    await expect(log.open()).rejects.toMatchObject({
      code: 'LOG_MISSING',
      details: { directory: log.directory, id: 7 },
    });
    // It does not make one: the next start must find the same.
    await expect(log.open()).rejects.toMatchObject({ code: 'LOG_MISSING' });
  });
});
