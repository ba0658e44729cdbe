/** A browser for tests of pages: one that is installed, or else Debian's, which only root may install. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PROGRAMS = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome-headless-shell',
];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Null where there is none and none can be installed: `reason` says why. */
export async function locateChromium(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly program: string } | { readonly program: null; readonly reason: string }> {
  const found = find(environment);
  if (found !== undefined) return { program: found };
  const refusal = await install();
  const installed = find(environment);
  if (installed !== undefined) return { program: installed };
  return { program: null, reason: `There is no Chromium or Chrome, and ${refusal}` };
}

function find({ PATH = '' }: Readonly<Record<string, string | undefined>>): string | undefined {
  const folders = [...PATH.split(delimiter).filter(Boolean), '/usr/bin'];
  const candidates = PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...APPLICATIONS].find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why it was not; what apt-get says is no more than a reason to go without. */
async function install(): Promise<string> {
  if (process.getuid?.() !== 0) return 'only root can install one';
  const apt = (...args: string[]) =>
    run('apt-get', args, { timeout: 300_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    await apt('update', '-qq');
    await apt('install', '-y', '-qq', '--no-install-recommends', 'chromium');
    return 'apt-get installed none';
  } catch (error) {
    return `apt-get could not install one: ${(error as Error).message}`;
  }
}
