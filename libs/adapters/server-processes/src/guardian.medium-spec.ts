import { describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Guardian } from './guardian.js';

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
});
