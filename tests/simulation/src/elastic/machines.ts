/**
 * Machines by the names of their shards. A shard is its machine's database: when that is lost, or its place was given to
 * others while it was away, the machine comes back with an empty one, under a new ordinal (docs/PROTOCOL.md 4.10, 6).
 */
import type { Prng, ShardOrdinal } from '@ringleader/primitives';
import type { Host, Process } from '@ringleader/testing-simulation';
import type { Cluster } from '../paxos/cluster.js';
import type { SimMessage } from '../paxos/sim-messages.js';
import type { ControlLinks } from './control-links.js';
import type { Coordinators } from './coordinators.js';
import { type Machine, ShardMachine } from './shard-machine.js';

const COPIES_KEPT = 3;

export class Machines {
  readonly #cluster: Cluster;
  readonly #coordinators: Coordinators;
  readonly #links: ControlLinks;
  readonly #machines = new Map<string, Machine>();
  readonly #byOrdinal = new Map<ShardOrdinal, Machine>();
  /** What will never be read again: lost with its database, or given up. */
  readonly lost = new Set<ShardOrdinal>();
  #named = 0;

  constructor(cluster: Cluster, coordinators: Coordinators, links: ControlLinks) {
    this.#cluster = cluster;
    this.#coordinators = coordinators;
    this.#links = links;
  }

  all(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  named(name: string): Machine | null {
    return this.#machines.get(name) ?? null;
  }

  /** Whose ordinal it is now. */
  of(ordinal: ShardOrdinal): Machine | null {
    const machine = this.#byOrdinal.get(ordinal);
    return machine?.ordinal === ordinal ? machine : null;
  }

  /** A machine of the first map: its node is there already. */
  found(zone: string, weight: number): Machine {
    this.#named += 1;
    return this.#add({ name: `shard-${String(this.#named)}`, ordinal: this.#named, zone, weight });
  }

  join(zone: string, weight: number): Machine {
    this.#named += 1;
    const ordinal = this.#coordinators.store.giveOrdinal();
    const machine = this.#add({ name: `shard-${String(this.#named)}`, ordinal, zone, weight });
    this.#cluster.addShard(ordinal);
    return machine;
  }

  /** What the node of an ordinal runs. */
  program(host: Host<SimMessage>, startShard: () => Process<SimMessage>): Process<SimMessage> {
    const machine = this.#byOrdinal.get(host.id);
    if (machine === undefined) throw new RangeError(`no machine has ordinal ${String(host.id)}`);
    this.#cluster.processes.delete(host.id);
    machine.isServing = false;
    return new ShardMachine(host, {
      machine,
      coordinators: this.#coordinators,
      links: this.#links,
      database: () => this.#cluster.database(host.id),
      core: () => this.#cluster.processes.get(host.id)?.core ?? null,
      startShard,
      beginAnew: (ordinal) => {
        this.#beginAnew(machine, ordinal);
      },
      end: () => {
        this.#end(machine);
      },
    });
  }

  kill(machine: Machine): void {
    machine.isDown = true;
    machine.isServing = false;
    this.#cluster.world.node(machine.ordinal).crash();
  }

  start(machine: Machine): void {
    if (this.#machines.get(machine.name) !== machine) return;
    machine.isDown = false;
    this.#cluster.world.node(machine.ordinal).start();
  }

  /** As a backup would. */
  copyDatabase(machine: Machine): void {
    machine.copies.push(this.#cluster.database(machine.ordinal).copy());
    if (machine.copies.length > COPIES_KEPT) machine.copies.shift();
  }

  /** While it is down: one of the copies takes the place of its database. */
  restoreDatabase(machine: Machine, prng: Prng): void {
    const copy = machine.copies[prng.nextBelow(Math.max(1, machine.copies.length))];
    if (copy === undefined) return;
    machine.timeline += 1;
    this.#cluster.replaceDatabase(machine.ordinal, copy.copy());
  }

  /** Its node is in the middle of an answer: after that. */
  #beginAnew(machine: Machine, ordinal: ShardOrdinal): void {
    this.#cluster.world.events.after(0, () => {
      const former = machine.ordinal;
      if (former === ordinal) return;
      machine.ordinal = ordinal;
      machine.timeline += 1;
      machine.copies.length = 0;
      this.#byOrdinal.set(ordinal, machine);
      this.lost.add(former);
      this.#cluster.retireShard(former);
      this.#cluster.addShard(ordinal);
      if (machine.isDown) this.#cluster.world.node(ordinal).crash();
    });
  }

  #end(machine: Machine): void {
    this.#machines.delete(machine.name);
    this.#cluster.world.events.after(0, () => {
      this.#cluster.retireShard(machine.ordinal);
    });
  }

  #add(facts: Pick<Machine, 'name' | 'ordinal' | 'zone' | 'weight'>): Machine {
    const machine = { ...facts, timeline: 1, copies: [], isDown: false, isServing: false };
    this.#machines.set(machine.name, machine);
    this.#byOrdinal.set(machine.ordinal, machine);
    return machine;
  }
}
