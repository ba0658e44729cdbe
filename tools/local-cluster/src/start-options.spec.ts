import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { workspaceRoot } from '@ringleader/server-processes';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asksForHelp, START_OPTIONS, startHelp } from '../start-options.mjs';

const run = promisify(execFile);

describe('the help of npm start', () => {
  let checkout: string;
  beforeEach(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'ringleader-help-'));
    for (const path of ['tools/bootstrap', 'tools/local-cluster/start-options.mjs'])
      await cp(join(workspaceRoot(), path), join(checkout, path), { recursive: true });
  });
  afterEach(() => rm(checkout, { recursive: true, force: true }));

  it.each(['--help', '-h'])('is printed for %s with nothing installed or built', async (flag) => {
    const script = join(checkout, 'tools/bootstrap/start.mjs');
    const { stdout, stderr } = await run(process.execPath, [script, '--shards', flag]);
    expect(stdout).toBe(`${startHelp()}\n`);
    expect(stderr).toBe('');
    expect(await readdir(checkout)).toEqual(['tools']);
  });

  it('names every option with its default', () => {
    for (const { flags, text, default: value } of Object.values(START_OPTIONS)) {
      const line = startHelp()
        .split('\n')
        .find((candidate) => candidate.trim().startsWith(flags));
      expect(line).toContain(text);
      if (value !== undefined) expect(line).toContain(`(default: ${value})`);
    }
  });

  it('is not taken for asked when it is not', () => {
    expect(asksForHelp(['--shards', '3'])).toBe(false);
  });
});
