/**
 * Kills, stops and cuts of coordinators: the leader, a follower, or two at once. A seed fixes what is drawn; whom it meets depends
 * on who leads.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Prng } from '@ringleader/primitives';
import type { LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { readCluster } from '../cluster-facts.js';

const LASTS_MS = { from: 300, to: 2_500 };
const RESTS_MS = { from: 300, to: 1_500 };
/**
 * So often a step of the operator is disturbed; then it is left to end. By the clock alone, nobody would get anywhere on a machine
 * on which a process takes longer to start than the next blow to come.
 */
const STRIKES_A_STEP = 12;

export class CoordinatorFaults {
  /** How often each was killed. */
  readonly kills = new Map<string, number>();

  constructor(
    private readonly cluster: LocalClusterHandle,
    private readonly prng: Prng,
    private readonly note: (what: string) => void,
  ) {}

  /** While they take steps. When it resolves, nothing is stopped or cut any more. */
  async runUntil(isOver: () => boolean, steps: () => number): Promise<void> {
    let strikes = 0;
    for (let step = steps(); !isOver(); await delay(this.#between(RESTS_MS))) {
      if (steps() !== step) [step, strikes] = [steps(), 0];
      if (strikes === STRIKES_A_STEP) continue;
      strikes += 1;
      const victims = await this.#victims();
      await Promise.all(victims.map((victim) => this.#strike(victim)));
    }
  }

  async #victims(): Promise<string[]> {
    const { processes } = await this.cluster.state();
    const running = processes.filter(({ service, pid }) => service === 'coordinator' && pid !== null);
    const names = this.#shuffled(running.map(({ member }) => member));
    const kind = this.prng.nextBelow(3);
    if (kind === 0) return names.slice(0, 1);
    const leader = await this.#leader();
    const others = names.filter((name) => name !== leader);
    // The leader, by itself or with another one.
    return names.includes(leader) ? [leader, ...others.slice(0, kind - 1)] : others.slice(0, kind);
  }

  /** As the gateway believes. */
  async #leader(): Promise<string> {
    const [url = ''] = await this.cluster.gatewayUrls();
    return (await readCluster(url)).coordinator.leader;
  }

  async #strike(member: string): Promise<void> {
    const kind = this.prng.nextBelow(4);
    const lastsMs = this.#between(LASTS_MS);
    const state = kind === 2 ? 'silent' : 'closed';
    const { pid } = await this.cluster.process(member).catch(() => ({ pid: null }));
    if (pid === null) return;
    if (kind === 0) {
      this.note(`kill ${member}`);
      this.kills.set(member, (this.kills.get(member) ?? 0) + 1);
      signal(pid, 'SIGKILL');
    } else if (kind === 1) {
      this.note(`stop ${member} for ${lastsMs} ms`);
      signal(pid, 'SIGSTOP');
      await delay(lastsMs);
      signal(pid, 'SIGCONT');
    } else {
      this.note(`${member} is cut off, ${state}, for ${lastsMs} ms`);
      await this.cluster.turn(member, 'nats', state);
      await delay(lastsMs);
      await this.cluster.turn(member, 'nats', 'open');
    }
  }

  #shuffled(names: readonly string[]): string[] {
    return names
      .map((name) => ({ name, place: this.prng.nextFloat() }))
      .sort((a, b) => a.place - b.place)
      .map(({ name }) => name);
  }

  #between({ from, to }: { from: number; to: number }): number {
    return from + this.prng.nextBelow(to - from);
  }
}

/** It may have ended since: it was removed, or replaced. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
