/** The commands of a checkout, as tests run them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { workspaceRoot } from '@ringleader/server-processes';

export const run = promisify(execFile);
export const START_MS = 180_000;

/** What is said of a build that takes long, as that nothing has changed may on a busy machine. */
const PROGRESS = /^(Building\.\.\.|✓ built \([^\n]*\))\n/gm;

export const withoutProgress = (output: string): string => output.replaceAll(PROGRESS, '');

/** Runs `npm start` to its end: for starts that are refused. What it says is without its progress. */
export async function refusedStart(...args: string[]): Promise<{ code: number; stderr: string }> {
  const script = join(workspaceRoot(), 'tools/bootstrap/start.mjs');
  return run(process.execPath, [script, ...args]).then(
    () => ({ code: 0, stderr: '' }),
    (error: { code: number; stderr: string }) => ({
      code: error.code,
      stderr: withoutProgress(error.stderr).trim(),
    }),
  );
}

/** What it prints. */
export async function ringleader(...args: string[]): Promise<string> {
  const script = join(workspaceRoot(), 'tools/bootstrap/ringleader.mjs');
  return (await run(process.execPath, [script, ...args])).stdout;
}
