/**
 * Scripts steer a run. A script is a generator that does something and yields how long to wait in simulated milliseconds;
 * it ends with the faulty part of the run, when everything is healed.
 */
import type { MemberId, Prng } from '@ringleader/primitives';
import type { RaftMemberStatus } from '@ringleader/raft';
import type { Group } from './group.js';

export type Script = (scene: Scene) => Generator<number, void>;

/** How often a script looks whether what it waits for has come. */
const lookMs = 0.1;

export class Scene {
  readonly group: Group;
  readonly prng: Prng;

  constructor(group: Group, prng: Prng) {
    this.group = group;
    this.prng = prng;
  }

  between(min: number, max: number): number {
    return min + this.prng.nextFloat() * (max - min);
  }

  /** Waits until `probe` finds something, or for `patienceMs`. */
  *until<T>(probe: () => T | null, patienceMs = 1_000): Generator<number, T | null> {
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookMs) {
      const found = probe();
      if (found !== null) return found;
      yield lookMs;
    }
    return null;
  }

  /** A member that leads, is none of those, and has finished the start of its term. */
  *leader(except: readonly MemberId[] = []): Generator<number, MemberId | null> {
    return yield* this.until(() => {
      const leader = this.group.leader();
      return leader === null || except.includes(leader) ? null : leader;
    });
  }

  others(...members: readonly MemberId[]): MemberId[] {
    const others = this.group.members.filter((member) => !members.includes(member));
    for (let i = others.length - 1; i > 0; i -= 1) {
      const swap = this.prng.nextBelow(i + 1);
      [others[i], others[swap]] = [others[swap] as MemberId, others[i] as MemberId];
    }
    return others;
  }

  status(member: MemberId): RaftMemberStatus | null {
    return this.group.process(member)?.core.status() ?? null;
  }

  /** Whether the member's disk has the entry which it shows at that index now. */
  hasOnDisk(member: MemberId, index: number, term: number): boolean {
    return this.group.judge.disks.get(member)?.has(index, term) ?? false;
  }

  separate(side: readonly MemberId[], others: readonly MemberId[]): () => void {
    const { network } = this.group.world;
    const links = side.flatMap((a) =>
      others.flatMap((b): [MemberId, MemberId][] => [
        [a, b],
        [b, a],
      ]),
    );
    for (const [from, to] of links) network.cut(from, to);
    return () => {
      for (const [from, to] of links) network.heal(from, to);
    };
  }

  crash(...members: readonly MemberId[]): void {
    for (const member of members) this.group.world.node(member).crash();
  }

  start(...members: readonly MemberId[]): void {
    for (const member of members) this.group.world.node(member).start();
  }
}

export function runScript(script: Script, group: Group, prng: Prng): void {
  const { events } = group.world;
  const steps = script(new Scene(group, prng));
  const next = (): void => {
    if (events.now >= group.settings.faultyMs) return;
    const step = steps.next();
    if (step.done !== true) events.after(step.value, next);
  };
  next();
}
