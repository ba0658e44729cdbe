import { describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** A service: says what happens to it, one line each. */
const SERVICE = `
const { runUntilSignal } = await import(process.argv[1]);
const say = (fields, text) => console.log(fields.reason ?? text);
const stop = async () => console.log('stopped');
runUntilSignal({ info: say, error: say, fatal: say }, stop, process.argv[2] === 'none' ? undefined : 3);
setInterval(() => undefined, 1_000);
console.log('runs');
`;

const MODULE = new URL('./process-signals.ts', import.meta.url).href;

/** Resolves when the service runs. */
async function service(lifeline: 'pipe' | 'none') {
  const args = ['--no-warnings', '--input-type=module', '--eval', SERVICE, MODULE, lifeline];
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit', lifeline === 'pipe' ? 'pipe' : 'ignore'],
  });
  const lines: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => lines.push(...chunk.toString('utf8').trim().split('\n')));
  const closed = once(child, 'close');
  if (child.stdout !== null) await once(child.stdout, 'data');
  return { child, lines, closed };
}

describe('runUntilSignal', () => {
  it('stops in order when the lifeline ends, as it does when the supervisor is killed', async () => {
    const { child, lines, closed } = await service('pipe');
    (child.stdio[3] as Duplex).destroy();
    expect(await closed).toEqual([0, null]);
    expect(lines).toEqual(['runs', 'the supervisor is gone', 'stopped']);
  });

  it.each(['pipe', 'none'] as const)('stops in order at SIGTERM (lifeline: %s)', async (lifeline) => {
    const { child, lines, closed } = await service(lifeline);
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(lines).toEqual(['runs', 'SIGTERM', 'stopped']);
  });
});
