import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bench } from './bench.js';
import { settingsOf } from './settings.js';

describe('the files of a benchmark', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ['a folder that is not there', { json: 'none/out.json' }, 'cannot be written'],
    ['a folder', { html: '.' }, 'it is a folder'],
    ['one file for both', { json: 'out', html: './out' }, 'must be two files'],
  ])('are looked at before anything is measured: %s', async (_, files, why) => {
    const at = Object.fromEntries(Object.entries(files).map(([flag, name]) => [flag, `${folder}/${name}`]));
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    // Without it the first that is told is that nothing runs here.
    const settings = settingsOf({ ...at, data: join(folder, 'no-cluster'), targets: ['ringleader'] });
    await expect(bench(settings, { print: say, note: say, searchPath: '' })).rejects.toThrow(why);
    expect(said).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});
