import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseStart, START_OPTIONS, startHelp } from './start-options.mjs';

const run = promisify(execFile);
const start = (...args: string[]) => parseStart(args, '/standing/here');

describe('the options of npm start', () => {
  it('have a default each', () => {
    expect(start()).toEqual({
      ...{ shards: 3, gateways: 1, coordinators: 3, nats: 1 },
      ...{ port: 8080, ephemeral: false, secure: false, timeout: 90 },
    });
  });

  it('are read as they are given', () => {
    const text = '--shards 5 --gateways 2 --port 9000 --coordinators 5 --nats 3 --data /x';
    const wanted = { shards: 5, gateways: 2, port: 9000, coordinators: 5, nats: 3, data: '/x' };
    expect(start(...text.split(' '))).toMatchObject(wanted);
    expect(start('--ephemeral')).toMatchObject({ ephemeral: true, secure: false });
    expect(start('--secure')).toMatchObject({ ephemeral: false, secure: true });
  });

  it('name folders from where the user stands', () => {
    const folders = { data: '/standing/here/x/y', postgres: '/standing/bin' };
    expect(start('--data', 'x/y/', '--postgres', '../bin')).toMatchObject(folders);
    expect(start('--postgres', '/usr/bin')).toMatchObject({ postgres: '/usr/bin' });
    expect(start('--postgres', '/usr/bin')).not.toHaveProperty('data');
  });

  it.each([
    [['--shards', '2'], /'--shards'.*from 3 to 64/],
    [['--shards', 'many'], /'--shards'.*whole number/],
    [['--shards', '3.5'], /'--shards'.*whole number/],
    [['--coordinators', '4'], /'--coordinators'.*3 or 5/],
    [['--nats', '2'], /'--nats'.*1 or 3 or 5/],
    [['--port', '70000'], /'--port'.*65535/],
    [['--port', '-1'], /'--port'/],
    [['--port='], /'--port'.*whole number/],
    [['--port'], /'--port <value>' argument missing/],
    [['--shards', '--gateways', '2'], /'--shards' argument missing/],
    [['--data', '--port', '0'], /'--data' argument missing/],
    [['--data='], /'--data' must be a folder/],
    [['--postgres='], /'--postgres' must be a folder/],
    [['--postgres', '--secure'], /'--postgres' argument missing/],
    [['--gateways', '2', '--port', '65535'], /no 2 ports from 65535/],
    [['--ephemeral', '--data', '/x'], /'--data' cannot be used with '--ephemeral'/],
    [['--sharks', '3'], /Unknown option '--sharks'/],
    [['more'], /Unexpected argument 'more'/],
  ])('are refused in one sentence: %j', (args, expected) => {
    expect(() => start(...args)).toThrow(expected);
    expect(() => start(...args)).toThrow(/^[^\n]*[^.]; see npm start -- --help\.$/);
  });
});

describe('the help of npm start', () => {
  let checkout: string;
  beforeEach(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'ringleader-help-'));
  });
  afterEach(() => rm(checkout, { recursive: true, force: true }));

  it.each(['--help', '-h'])('is printed for %s with nothing installed or built', async (flag) => {
    const bootstrap = join(checkout, 'tools/bootstrap');
    await cp(fileURLToPath(new URL('.', import.meta.url)), bootstrap, { recursive: true });
    const { stdout, stderr } = await run(process.execPath, [join(bootstrap, 'start.mjs'), '--shards', flag]);
    expect(stdout).toBe(`${startHelp()}\n`);
    expect(stderr).toBe('');
    expect(await readdir(checkout)).toEqual(['tools']);
  });

  it('names every option with its default', () => {
    const lines = startHelp().split('\n');
    const options: Record<string, { text: string; default?: number }> = START_OPTIONS;
    for (const [name, option] of Object.entries(options)) {
      const line = lines.find((candidate) => candidate.trim().startsWith(`--${name}`));
      expect(line).toContain(option.text);
      if (option.default !== undefined) expect(line).toContain(`(default: ${option.default})`);
    }
  });
});
