import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processTree, startChild, until, type Child } from '@ringleader/server-processes';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Supervisor, type Program } from './supervisor.js';

/** Runs until it is ended. */
const IDLE = 'exec sleep 600';
const soon = { timeoutMs: 5_000, everyMs: 5 };

describe('Supervisor', () => {
  let folder: string;
  let supervisor: Supervisor;
  let lines: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader-supervisor-'));
    lines = [];
  });
  afterEach(async () => {
    await supervisor.stop();
    await rm(folder, { recursive: true });
  });

  const heard = [(text: string) => void lines.push(text), () => undefined] as const;

  /** Of a program that runs these shell scripts, one after the other; null: a start that fails. */
  function supervise(...scripts: (string | null)[]): void {
    const logFile = join(folder, 'log');
    const program: Program = {
      ...{ service: 'shard', name: 'shard-1', port: 1, url: 'http://127.0.0.1:1', logFile },
      launch: async () => {
        const script = scripts.shift();
        if (script === null) throw new Error('no room');
        const args = ['-c', script ?? IDLE];
        return startChild({
          ...{ name: 'shard-1', command: 'sh', args },
          env: {},
          logFile,
          orphaned: 'SIGTERM',
        });
      },
    };
    supervisor = new Supervisor(program, ...heard);
  }

  const kill = (): number => {
    const { pid = 0 } = supervisor.child ?? {};
    process.kill(pid, 'SIGKILL');
    return pid;
  };
  const untilAnotherThan = (pid: number) =>
    until('a restart', () => ![undefined, pid].includes(supervisor.child?.pid), soon);

  it.each(['stopped', 'killed'] as const)('does not start again what is %s on purpose', async (how) => {
    supervise();
    await supervisor.start();
    await supervisor.hold(how);
    expect([supervisor.child, supervisor.state().held, supervisor.restarts]).toEqual([undefined, how, 0]);
    expect(lines).toEqual([]);
  });

  it('lets a process stand still with its children, and go on, and ends it also then', async () => {
    supervise('trap "trap - TERM; kill 0" TERM; sleep 600 & sleep 600 & wait');
    await supervisor.start();
    const { pid = 0 } = supervisor.child ?? {};
    const stateOf = (one: number): string =>
      /\) (\S)/.exec(readFileSync(`/proc/${one}/stat`, 'latin1'))?.[1] ?? '';
    const states = (): string[] => processTree(pid).map(stateOf);
    await until('all are there', () => processTree(pid).length === 3, soon);
    await supervisor.hold('paused');
    await until('all stand still', () => states().every((state) => state === 'T'), soon);
    supervisor.goOn();
    await until('all go on', () => states().every((state) => state === 'S'), soon);
    expect(supervisor.state()).toMatchObject({ held: null, pid });
    await supervisor.hold('paused');
    await supervisor.stop();
    expect(supervisor.child).toBeUndefined();
  });

  it('lets what is paused while it is to be started again stand still from its start', async () => {
    supervise(IDLE, IDLE);
    await supervisor.start();
    const before = kill();
    await until('it has ended', () => supervisor.child === undefined, soon);
    await supervisor.hold('paused');
    await untilAnotherThan(before);
    const stands = (): boolean =>
      /\) T/.test(readFileSync(`/proc/${supervisor.child?.pid ?? 0}/stat`, 'latin1'));
    await until('it stands still', stands, soon);
    supervisor.goOn();
    await until('it goes on', () => !stands(), soon);
  });

  it('shows a crash at once and starts the program again', async () => {
    supervise(`echo the last words; ${IDLE}`);
    await supervisor.start();
    await untilAnotherThan(kill());
    expect(lines[0]).toMatch(/shard-1 ended with signal SIGKILL; starting it again in 0.1 s/);
    expect(supervisor.restarts).toBe(1);
  });

  it('goes on after a start that failed', async () => {
    supervise(IDLE, null);
    await supervisor.start();
    await untilAnotherThan(kill());
    expect(lines.some((line) => line.includes('could not be started again: no room'))).toBe(true);
    expect(supervisor.restarts).toBe(2);
  });

  it('leaves a process ended that says that no restart mends it, and shows its reason once', async () => {
    const records = [
      { level: 'info', msg: 'Started' },
      { level: 'fatal', code: 'LOG_MISSING', msg: 'It is empty' },
    ].map((record) => `echo '${JSON.stringify(record)}'`);
    supervise([...records, 'exit 78'].join(';'));
    await supervisor.start();
    await until('the refusal', () => supervisor.refusal !== undefined, soon);
    expect(supervisor.refusal).toBe('LOG_MISSING: It is empty');
    await supervisor.stop();
    const how = 'exit code 78, which no restart mends: LOG_MISSING: It is empty';
    expect(lines).toEqual([`✗ shard-1 ended with ${how} (see ${join(folder, 'log')})`]);
    expect(supervisor.restarts).toBe(0);
    expect(supervisor.child).toBeUndefined();
  });

  it('does not start again what it stopped, also while it waits to start it', async () => {
    supervise();
    await supervisor.start();
    kill();
    await until('the crash to be seen', () => lines.length > 0, soon);
    await supervisor.stop();
    expect(supervisor.child).toBeUndefined();
    expect(lines).toHaveLength(1);
  });

  it('leaves nothing running that was stopped while it was launched', async () => {
    const { promise: launching, resolve: launch } = Promise.withResolvers<void>();
    supervise();
    const { program } = supervisor;
    let child: Child | undefined;
    const late = async () => {
      await launching;
      return (child = await program.launch());
    };
    supervisor = new Supervisor({ ...program, launch: late }, ...heard);
    const starting = supervisor.start();
    const stopping = supervisor.stop();
    launch();
    await Promise.all([starting, stopping]);
    expect(child?.exit()).toBeDefined();
    expect(supervisor.child).toBeUndefined();
  });

  it('shows the last line that is whole, where a crash has torn the record of its reason', async () => {
    const torn = `{"level":"info","msg":"a {"level":"fatal","msg":"torn"}`;
    supervise(`echo '${torn}'; exit 78`);
    await supervisor.start();
    await until('the refusal', () => supervisor.refusal !== undefined, soon);
    expect(supervisor.refusal).toBe(torn);
  });

  it('starts again what can be spared and failed at its first start, and stops doing so when it is told to', async () => {
    supervise(null, null, IDLE);
    await supervisor.startOrTryAgain();
    expect(supervisor.state()).toMatchObject({ pid: null, held: null });
    await until('it runs', () => supervisor.child !== undefined, soon);
    expect(lines[0]).toMatch(/shard-1 could not be started: no room; starting it again in 0.1 s/);
    expect([supervisor.restarts, supervisor.isHopeless]).toEqual([2, false]);
    kill();
    await until('the crash to be seen', () => supervisor.restarts === 3, soon);
    await supervisor.stop();
    expect(supervisor.child).toBeUndefined();
  });

  it('leaves the failure of the first start to the caller', async () => {
    supervise(null);
    await expect(supervisor.start()).rejects.toThrow('no room');
    expect(supervisor.state()).toMatchObject({ pid: null, held: 'stopped' });
  });
});
