/**
 * Random kills, pauses and cuts of everything that a cluster is made of, a few at a time. A seed fixes what each of the
 * hands that make them draws; when it acts depends on how long the cluster takes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { seededPrng } from '@ringleader/primitives';
import type { Prng } from '@ringleader/primitives';
import type { LinkTarget, LocalClusterHandle } from '@ringleader/testing-local-cluster';

/** More at once would mostly be a cluster without majorities. */
const HANDS = 2;
const LASTS_MS = { from: 300, to: 4_000 };
const RESTS_MS = { from: 200, to: 1_500 };

export class RandomFaults {
  /** What was done, in order. */
  readonly script: string[] = [];
  private readonly disturbed = new Set<string>();
  private startedAtMs = 0;

  constructor(
    private readonly cluster: LocalClusterHandle,
    private readonly seed: number,
  ) {}

  /** When it resolves, nothing is stopped or cut any more. */
  async run(durationMs: number): Promise<void> {
    this.startedAtMs = performance.now();
    const { processes } = await this.cluster.state();
    const members = processes.map(({ member }) => member);
    const hands = Array.from({ length: HANDS }, (_, hand) => seededPrng(this.seed * HANDS + hand));
    await Promise.all(hands.map((prng) => this.act(prng, members, durationMs)));
  }

  private async act(prng: Prng, members: readonly string[], durationMs: number): Promise<void> {
    while (performance.now() < this.startedAtMs + durationMs) {
      const member = members[prng.nextBelow(members.length)] ?? '';
      const kind = prng.nextBelow(3);
      const lastsMs = between(LASTS_MS, prng);
      const { pid } = await this.cluster.process(member);
      // One that is down, or disturbed by the other hand, is left alone.
      if (pid !== null && !this.disturbed.has(member)) {
        this.disturbed.add(member);
        if (kind === 0) await this.kill(member, pid);
        else if (kind === 1 || isServer(member)) await this.pause(member, lastsMs);
        else await this.cut(member, lastsMs, prng);
        this.disturbed.delete(member);
      }
      await delay(between(RESTS_MS, prng));
    }
  }

  private async kill(member: string, pid: number): Promise<void> {
    this.note(`kill ${member}`);
    await this.cluster.signal(member, 'SIGKILL');
    await this.cluster.untilRestarted(member, pid);
  }

  private async pause(member: string, ms: number): Promise<void> {
    this.note(`stop ${member} for ${ms} ms`);
    await this.cluster.signalTree(member, 'SIGSTOP');
    await delay(ms);
    await this.cluster.signalTree(member, 'SIGCONT');
  }

  private async cut(member: string, ms: number, prng: Prng): Promise<void> {
    const targets: readonly LinkTarget[] = member.startsWith('shard') ? ['nats', 'postgres'] : ['nats'];
    const target = targets[prng.nextBelow(targets.length)] ?? 'nats';
    const state = prng.nextBelow(2) === 0 ? 'silent' : 'closed';
    this.note(`${member} loses ${target}, ${state}, for ${ms} ms`);
    await this.cluster.turn(member, target, state);
    await delay(ms);
    await this.cluster.turn(member, target, 'open');
  }

  private note(what: string): void {
    this.script.push(`${(performance.now() - this.startedAtMs).toFixed(0)} ms: ${what}`);
  }
}

/** It has no links of its own. */
const isServer = (member: string): boolean => /^(nats-server|postgres)/.test(member);

function between({ from, to }: { from: number; to: number }, prng: Prng): number {
  return from + prng.nextBelow(to - from);
}
