import { describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Guardian } from './guardian.js';
import { processStart } from './process-identity.js';
import { until } from './until.js';

function ended(child: ChildProcess): Promise<NodeJS.Signals | null> {
  return new Promise((resolve) =>
    child.once('exit', (_code, signal) => {
      resolve(signal);
    }),
  );
}

function sleeper(): { child: ChildProcess; pid: number } {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  if (child.pid === undefined) throw new Error('sleep did not start');
  return { child, pid: child.pid };
}

describe('Guardian', () => {
  it('ends what it watches when its pipe closes, and spares what it was told to forget', async () => {
    const guardian = new Guardian();
    const [watched, forgotten] = [sleeper(), sleeper()];
    guardian.watch(watched.pid);
    guardian.watch(forgotten.pid);
    guardian.forget(forgotten.pid);
    const end = ended(watched.child);
    await guardian.close();
    expect(await end).toBe('SIGTERM');
    expect(forgotten.child.exitCode).toBeNull();
    expect(forgotten.child.signalCode).toBeNull();
    forgotten.child.kill();
  });

  it('kills what ignores the request to end', async () => {
    const guardian = new Guardian();
    const child = spawn('sh', ['-c', "trap '' TERM; echo ready; exec sleep 1000"], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    guardian.watch(child.pid ?? 0);
    const end = ended(child);
    await guardian.close();
    expect(await end).toBe('SIGKILL');
  }, 20_000);

  it('is replaced when it is killed, by one that knows what runs', async () => {
    const endings: string[] = [];
    const guardian = new Guardian((ending) => endings.push(ending));
    const [watched, forgotten, later] = [sleeper(), sleeper(), sleeper()];
    guardian.watch(watched.pid);
    guardian.watch(forgotten.pid);
    const first = guardian.pid ?? 0;
    process.kill(first, 'SIGKILL');
    guardian.forget(forgotten.pid);
    await until('a new guardian', () => endings.length === 1, { timeoutMs: 10_000 });
    expect(endings).toEqual(['signal SIGKILL']);
    expect(guardian.pid).not.toBe(first);
    guardian.watch(later.pid);
    const ends = [ended(watched.child), ended(later.child)];
    await guardian.close();
    expect(await Promise.all(ends)).toEqual(['SIGTERM', 'SIGTERM']);
    expect(forgotten.child.signalCode).toBeNull();
    forgotten.child.kill();
  }, 20_000);

  it('ends what it watches also when it is closed right after it was killed', async () => {
    const guardian = new Guardian();
    const watched = sleeper();
    guardian.watch(watched.pid);
    process.kill(guardian.pid ?? 0, 'SIGKILL');
    const end = ended(watched.child);
    const isGone = async () => (await processStart(guardian.pid ?? 0)) === undefined;
    await until('its end', isGone, { timeoutMs: 10_000 });
    await guardian.close();
    expect(await end).toBe('SIGTERM');
  }, 20_000);
});
