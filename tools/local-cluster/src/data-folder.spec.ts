import { expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { openEphemeralFolder } from './data-folder.js';

it('gives each of many clusters a passing folder of its own, which nobody who starts meanwhile clears away', async () => {
  const lost: string[] = [];
  const comeAndGo = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) {
      const { path, logs, release } = await openEphemeralFolder(0);
      if (!existsSync(logs)) lost.push(path);
      await release();
      expect(existsSync(path)).toBe(false);
    }
  };
  await Promise.all(Array.from({ length: 8 }, comeAndGo));
  expect(lost).toEqual([]);
});
