/**
 * The operator of a running cluster's coordinators, who has nothing but the command: from three to five and back to three, again and again,
 * with one disk thrown away each time. What is refused, or not answered, because something is being killed is tried again.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Prng } from '@ringleader/primitives';
import type { LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { until, workspaceRoot } from '@ringleader/testing-servers';

export interface ListedMember {
  readonly name: string;
  readonly id: string;
  readonly role: 'leader' | 'voter' | 'learner';
  readonly reachable: boolean;
}

interface Ran {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const RETRY_MS = 200;
/** Of one step: the faults last for seconds, and so may each of its attempts. */
const PATIENCE = { timeoutMs: 120_000, everyMs: RETRY_MS };
const NAME = /^coordinator-[1-9]$/;

export class CoordinatorOperator {
  /** How many members have come, gone or been replaced. */
  steps = 0;

  constructor(
    private readonly cluster: LocalClusterHandle,
    private readonly prng: Prng,
    private readonly note: (what: string) => void,
  ) {}

  async round(): Promise<void> {
    for (const step of [this.#add, this.#add, this.#loseDisk, this.#remove, this.#remove]) {
      await step.call(this);
      this.steps += 1;
    }
  }

  async members(): Promise<readonly ListedMember[]> {
    const { stdout } = await this.#until('members', () => this.#coordinator('members', '-o', 'json'));
    return JSON.parse(stdout) as readonly ListedMember[];
  }

  /** Whether all members have the same, as `coordinator hash` tells. */
  async haveTheSame(): Promise<Ran> {
    return this.#coordinator('hash', '-o', 'json');
  }

  async #add(): Promise<void> {
    const before = await this.#voters();
    let newcomer = '';
    // Whatever the command says: it may have been refused before it asked for a process, or not heard what became of that.
    await this.#until('another coordinator runs', async () => {
      newcomer = (await this.#newcomer(before)) ?? '';
      return newcomer === ''
        ? this.#notYet(this.#local('add-coordinator'))
        : { ok: true, stdout: '', stderr: '' };
    });
    this.note(`${newcomer} comes`);
    await this.#until(`${newcomer} votes`, async () => {
      const isIn = (await this.#voters()).includes(newcomer);
      return isIn ? { ok: true, stdout: '', stderr: '' } : this.#notYet(this.#coordinator('add', newcomer));
    });
  }

  async #newcomer(before: readonly string[]): Promise<string | undefined> {
    const { processes } = await this.cluster.state();
    return processes.find(({ member }) => NAME.test(member) && !before.includes(member))?.member;
  }

  async #loseDisk(): Promise<void> {
    const members = await this.members();
    const { name, id } = this.#pick(members);
    this.note(`${name} loses its disk`);
    const pid = await this.cluster.signal(name, 'SIGSTOP');
    await rm(join(this.cluster.dataFolder, name), { recursive: true, force: true });
    process.kill(pid, 'SIGKILL');
    await this.#until(`${name} is replaced`, async () => {
      const own = (await this.members()).filter((member) => member.name === name);
      const isReplaced = own.length === 1 && own[0]?.id !== id && own[0]?.role !== 'learner';
      if (isReplaced) return { ok: true, stdout: '', stderr: '' };
      return this.#notYet(own.length > 1 ? this.#letIn(name, own) : this.#local('replace-coordinator', name));
    });
    this.note(`${name} is replaced`);
  }

  /** A successor that was let in while a command which was given up made room for another one is never heard: that one is let in instead. */
  #letIn(name: string, own: readonly ListedMember[]): Promise<unknown> {
    const isLost = own.every(({ reachable }) => !reachable);
    return isLost ? this.#coordinator('replace', name) : this.members();
  }

  async #remove(): Promise<void> {
    const { name } = this.#pick(await this.members());
    this.note(`${name} goes`);
    await this.#until(`${name} is removed`, async () => {
      const isGone = !(await this.members()).some((member) => member.name === name);
      return isGone ? { ok: true, stdout: '', stderr: '' } : this.#notYet(this.#coordinator('remove', name));
    });
    // Its seat is free when its process has ended.
    const isFree = async (): Promise<boolean> =>
      !(await this.cluster.state()).processes.some(({ member }) => member === name);
    await until(`${name} ends`, isFree, PATIENCE);
  }

  async #voters(): Promise<string[]> {
    return (await this.members()).filter(({ role }) => role !== 'learner').map(({ name }) => name);
  }

  async #notYet(trying: Promise<unknown>): Promise<Ran> {
    const ran = (await trying) as Partial<Ran>;
    return { ok: false, stdout: '', stderr: ran.stderr ?? '' };
  }

  async #until(what: string, attempt: () => Promise<Ran>): Promise<Ran> {
    let ran: Ran = { ok: false, stdout: '', stderr: '' };
    const isDone = async (): Promise<boolean> => {
      ran = await attempt();
      return ran.ok;
    };
    await until(what, isDone, { ...PATIENCE, seen: () => ran.stderr });
    return ran;
  }

  async #coordinator(...args: readonly string[]): Promise<Ran> {
    const [url = ''] = await this.cluster.gatewayUrls();
    return this.#run('coordinator', ...args, '--gateway', url);
  }

  #local(...args: readonly string[]): Promise<Ran> {
    return this.#run('local', ...args, '--data', this.cluster.dataFolder);
  }

  #run(...args: readonly string[]): Promise<Ran> {
    const program = join(workspaceRoot(), 'apps/cli/dist/main.js');
    return new Promise((resolve) => {
      execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
        if (error !== null) this.note(`${args.slice(0, 3).join(' ')}: ${stderr.trim()}`);
        resolve({ ok: error === null, stdout, stderr: stderr.trim() });
      });
    });
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.prng.nextBelow(all.length)]!;
  }
}
