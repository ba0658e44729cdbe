import { describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** A service: says what happens to it, one line each. `hang` never stops by itself. */
const SERVICE = `
const { runUntilSignal } = await import(process.argv[1]);
const [lifeline, ending] = process.argv.slice(2);
const say = (fields, text) => console.log(fields.reason ?? text);
const stop = async () => {
  if (ending === 'hang') await new Promise(() => undefined);
  console.log('stopped');
};
const stopWithinMs = ending === 'hang' && lifeline === 'none' ? 60_000 : 300;
const logger = { info: say, warn: say, error: say, fatal: say };
runUntilSignal(logger, stop, { stopWithinMs, lifelineFd: lifeline === 'none' ? undefined : 3 });
setInterval(() => undefined, 1_000);
console.log('runs');
`;

const MODULE = new URL('./process-signals.ts', import.meta.url).href;

/** Resolves when the service runs. */
async function service(lifeline: 'pipe' | 'none', ending: 'stop' | 'hang' = 'stop') {
  const args = ['--no-warnings', '--input-type=module', '--eval', SERVICE, MODULE, lifeline, ending];
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

  it.each([
    ['SIGTERM', 'pipe'],
    ['SIGTERM', 'none'],
    ['SIGINT', 'none'],
  ] as const)('stops in order at %s (lifeline: %s)', async (signal, lifeline) => {
    const { child, lines, closed } = await service(lifeline);
    child.kill(signal);
    expect(await closed).toEqual([0, null]);
    expect(lines).toEqual(['runs', signal, 'stopped']);
  });

  it('ends at once at the second signal', async () => {
    const { child, lines, closed } = await service('none', 'hang');
    child.kill('SIGTERM');
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(lines).toEqual(['runs', 'SIGTERM', 'Told to stop again: ending at once']);
  });

  it('takes a signal that comes twice in a moment for one', async () => {
    const { child, lines, closed } = await service('pipe', 'hang');
    child.kill('SIGTERM');
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await closed).toEqual([1, null]);
    expect(lines).toEqual(['runs', 'SIGTERM', 'Did not stop in time']);
  });

  it('gives up on a stop that takes too long', async () => {
    const { child, lines, closed } = await service('pipe', 'hang');
    child.kill('SIGTERM');
    expect(await closed).toEqual([1, null]);
    expect(lines).toEqual(['runs', 'SIGTERM', 'Did not stop in time']);
  });
});
