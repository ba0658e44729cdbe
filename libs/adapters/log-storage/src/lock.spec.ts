import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { testLog } from '../test/log.fixtures.js';

const log = testLog();

describe('the lock', () => {
  it('keeps a second owner off until the first one ends', async () => {
    const { storage } = await log.open();
    await expect(log.open()).rejects.toMatchObject({
      code: 'LOG_IN_USE',
      details: {
        directory: log.directory,
        holder: expect.stringContaining(`process ${String(process.pid)} on `) as unknown,
      },
    });
    await log.close(storage);
    await log.recover();
  });

  it('is let go when the log cannot be opened', async () => {
    await log.write(1);
    const [segment] = log.segments();
    truncateSync(join(log.directory, segment!), 4);
    await expect(log.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await expect(log.open()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });
});
