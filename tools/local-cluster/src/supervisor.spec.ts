import { describe, expect, it } from '@jest/globals';
import { type Child, type ChildExit, until } from '@ringleader/server-processes';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Supervisor, type Program } from './supervisor.js';

/** A process that ends when the test says so. */
class FakeChild implements Child {
  readonly identity = undefined;
  readonly logFile = '/nonexistent.log';
  readonly exited: Promise<ChildExit>;
  #ended: ChildExit | undefined;
  #resolve: (exit: ChildExit) => void = () => undefined;

  constructor(readonly pid: number) {
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  exit(): ChildExit | undefined {
    return this.#ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.end({ code: null, signal });
  }

  end(exit: ChildExit): void {
    this.#ended = exit;
    this.#resolve(exit);
  }

  async stop(signal: NodeJS.Signals): Promise<ChildExit> {
    this.signal(signal);
    return this.exited;
  }
}

interface Setting {
  failingLaunches?: number[];
  logFile?: string;
}

function supervised({ failingLaunches = [], logFile = '/nonexistent.log' }: Setting = {}) {
  const children: FakeChild[] = [];
  const lines: string[] = [];
  let launches = 0;
  const program: Program = {
    service: 'shard',
    name: 'shard-1',
    port: 1,
    url: 'http://127.0.0.1:1',
    logFile,
    launch: async () => {
      launches += 1;
      if (failingLaunches.includes(launches)) throw new Error('no room');
      children.push(new FakeChild(100 + launches));
      return children[children.length - 1] as FakeChild;
    },
    shutdown: async (child) => {
      await child.stop('SIGTERM', 0);
    },
  };
  const say = (text: string) => void lines.push(text);
  return { supervisor: new Supervisor(program, say, () => undefined), children, lines };
}

const soon = { timeoutMs: 5_000, everyMs: 5 };

describe('Supervisor', () => {
  it('shows a crash at once and starts the program again', async () => {
    const { supervisor, children, lines } = supervised();
    await supervisor.start();
    expect(supervisor.child?.pid).toBe(101);
    children[0]?.signal('SIGKILL');
    await until('a restart', () => supervisor.child?.pid === 102, soon);
    expect(lines[0]).toMatch(/shard-1 ended with signal SIGKILL; starting it again in 0.1 s/);
    expect(supervisor.restarts).toBe(1);
    await supervisor.stop();
  });

  it('goes on after a start that failed', async () => {
    const { supervisor, children, lines } = supervised({ failingLaunches: [2] });
    await supervisor.start();
    children[0]?.signal('SIGKILL');
    await until('a restart', () => supervisor.child?.pid === 103, soon);
    expect(lines.some((line) => line.includes('no room'))).toBe(true);
    await supervisor.stop();
  });

  it('leaves a process ended that says that no restart mends it, and shows its reason once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ringleader-supervisor-'));
    const logFile = join(folder, 'log');
    const records = [
      { level: 'info', msg: 'Started' },
      { level: 'fatal', code: 'LOG_MISSING', msg: 'It is empty' },
    ];
    await writeFile(logFile, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const { supervisor, children, lines } = supervised({ logFile });
    await supervisor.start();
    children[0]?.end({ code: 78, signal: null });
    await until('the refusal', () => supervisor.refusal !== undefined, soon);
    expect(supervisor.refusal).toBe('LOG_MISSING: It is empty');
    await supervisor.stop();
    expect(lines).toEqual([
      `✗ shard-1 ended with exit code 78, which no restart mends: LOG_MISSING: It is empty (see ${logFile})`,
    ]);
    expect([supervisor.restarts, children.length]).toEqual([0, 1]);
    await rm(folder, { recursive: true });
  });

  it('does not start again what it stopped, also while it waits to start it', async () => {
    const { supervisor, children } = supervised();
    await supervisor.start();
    children[0]?.signal('SIGKILL');
    await children[0]?.exited;
    await supervisor.stop();
    expect(children).toHaveLength(1);
    expect(supervisor.child?.pid).toBeUndefined();
  });

  it('leaves the failure of the first start to the caller', async () => {
    const { supervisor } = supervised({ failingLaunches: [1] });
    await expect(supervisor.start()).rejects.toThrow('no room');
    await supervisor.stop();
  });
});
