/**
 * What failure detectors make of it, late and sometimes wrong: who does not answer is suspect after a while, down after a
 * longer one, and alive again some time after it was heard. A wrong verdict stands until it is refuted.
 */
import type { Prng } from '@ringleader/primitives';
import type { Cluster } from '../paxos/cluster.js';
import type { ControlLinks } from './control-links.js';
import type { Coordinators } from './coordinators.js';
import type { Machines } from './machines.js';
import type { Machine } from './shard-machine.js';

const LOOK_EVERY_MS = 50;
const AFTER_MS = {
  suspect: { min: 100, max: 300 },
  down: { min: 200, max: 600 },
  alive: { min: 50, max: 250 },
} as const;
const NEXT = {
  alive: { heard: null, silent: 'suspect' },
  suspect: { heard: 'alive', silent: 'down' },
  down: { heard: 'alive', silent: null },
} as const;

interface Opinion {
  verdict: 'alive' | 'suspect' | 'down';
  /** What it is on its way to, since when and for how long. */
  next: Opinion['verdict'] | null;
  since: number;
  patienceMs: number;
  wrongUntil: number;
}

interface World {
  readonly cluster: Cluster;
  readonly machines: Machines;
  readonly coordinators: Coordinators;
  readonly links: ControlLinks;
  readonly prng: Prng;
}

export class Detectors {
  readonly #world: World;
  readonly #opinions = new Map<string, Opinion>();

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    this.#world.cluster.world.events.after(LOOK_EVERY_MS, () => {
      for (const machine of this.#world.machines.all()) this.#look(machine);
      this.start();
    });
  }

  /** They agree on something that is not so. */
  err(machine: Machine, durationMs: number): void {
    const opinion = this.#of(machine.name);
    opinion.verdict = this.#world.prng.nextBelow(3) === 0 ? 'down' : 'suspect';
    opinion.wrongUntil = this.#now + durationMs;
    this.#world.coordinators.judge(machine.name, opinion.verdict);
  }

  /** From now on they are right, if late. */
  heal(): void {
    for (const opinion of this.#opinions.values()) opinion.wrongUntil = 0;
  }

  get #now(): number {
    return this.#world.cluster.world.events.now;
  }

  #look(machine: Machine): void {
    const opinion = this.#of(machine.name);
    if (this.#now < opinion.wrongUntil) return;
    const next = NEXT[opinion.verdict][this.#hears(machine) ? 'heard' : 'silent'];
    if (next !== opinion.next) this.#begin(opinion, next);
    if (next !== null && this.#now >= opinion.since + opinion.patienceMs) {
      opinion.verdict = next;
      opinion.next = null;
    }
    this.#world.coordinators.judge(machine.name, opinion.verdict);
  }

  #begin(opinion: Opinion, next: Opinion['next']): void {
    opinion.next = next;
    if (next === null) return;
    const { min, max } = AFTER_MS[next];
    opinion.since = this.#now;
    opinion.patienceMs = min + this.#world.prng.nextFloat() * (max - min);
  }

  #hears({ name, ordinal, isServing }: Machine): boolean {
    const node = this.#world.cluster.world.node(ordinal);
    return node.isUp && !node.isPaused && isServing && !this.#world.links.isCut(name);
  }

  #of(name: string): Opinion {
    let opinion = this.#opinions.get(name);
    if (opinion === undefined) {
      opinion = { verdict: 'alive', next: null, since: 0, patienceMs: 0, wrongUntil: 0 };
      this.#opinions.set(name, opinion);
    }
    return opinion;
  }
}
