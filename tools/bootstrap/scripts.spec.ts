import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringleader-scripts-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What the program says on standard error, where it fails; nothing it looks for is there. */
const failureOf = (...args: string[]): Promise<string> =>
  run(process.execPath, args, { env: { PATH: folder, TMPDIR: folder } }).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );
const script = (name: string): string => join(import.meta.dirname, name);

it('says of what is to run that it cannot', async () => {
  expect(await failureOf(script('test.mjs'), 'xyz')).toMatch(
    /^The tests cannot run\. There is no step "xyz"/,
  );
});

it('says that kind is missing, and leaves nothing behind', async () => {
  const said = await failureOf(script('e2e-kind.mjs'));
  expect(said).toMatch(/^The scenarios cannot run\. kind is missing [^\n]*\n$/);
  expect(await readdir(folder)).toEqual([]);
});

it.each([
  ['24.4.1', false],
  ['24.5.0', true],
  ['25.0.0', true],
  ['22.21.1', false],
])('runs what is built with a Node %s: %j', async (version, isGoodEnough) => {
  const program = `
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
    process.execPath = '/this/node';
    const { runtime } = await import(${JSON.stringify(script('prepare.mjs'))});
    console.log(runtime());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout.trim() === '/this/node').toBe(isGoodEnough);
});
