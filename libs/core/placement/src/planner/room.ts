/**
 * For how many moves there is room at once: of the cluster, from and to each shard, and beside users. Where copies give way
 * to users on a crowded machine, a shard gives rows away to one newcomer at a time, and such a move takes up the room of
 * four: so with the default limits there is one in the cluster. One more for each minute without (`movesBesideUsers`).
 */
import type { ShardOrdinal } from '@ringleader/primitives';
import { type ClusterState, nameOf } from './cluster-state.js';
import { countHealthy } from './exchange.js';
import type { WantedMove } from './planner.js';
import type { MoveReports } from './reports.js';
import type { PlannerRules } from './rules.js';

/** Of a move that is under way, or that is to begin. */
export type Mover = Pick<WantedMove, 'entry' | 'add' | 'remove'>;

export interface RoomContext {
  readonly state: ClusterState;
  readonly reports: MoveReports;
  readonly nowMs: number;
  /** Newcomers that took nothing in the last time: they are tried with one move at a time. */
  readonly stuck: ReadonlySet<ShardOrdinal>;
  readonly rules: Pick<PlannerRules, 'movesBesideUsers'>;
}

/** At once, from or to one shard. */
const MOVES_PER_SHARD_MAX = 4;
/** Parts of the room for one move: divisible by all numbers of moves that a shard may take part in. */
const PARTS = 12;
/** Of a move that nobody waits beside. */
const PARTS_MIN = PARTS / MOVES_PER_SHARD_MAX;

interface Busy {
  readonly moves: number;
  /** Without those that come no further. */
  readonly copying: number;
}
const NOT_BUSY: Busy = { moves: 0, copying: 0 };

export class Room {
  readonly #busy = new Map<ShardOrdinal, Busy>();
  #underWay = 0;
  #copying = 0;
  #free: number;
  /** Whose users others wait for. */
  #crowded: ShardOrdinal | null = null;

  constructor(
    private readonly context: RoomContext,
    private readonly movesMax: number,
  ) {
    this.#free = movesMax * PARTS_MIN;
  }

  /** One that rests comes no further: users notice nothing of it. */
  occupy(move: Mover, rests = false): void {
    this.#underWay += 1;
    for (const of of this.#shardsOf(move)) {
      const { moves, copying } = this.#busy.get(of) ?? NOT_BUSY;
      this.#busy.set(of, { moves: moves + 1, copying: rests ? copying : copying + 1 });
    }
    if (rests) return;
    this.#copying += 1;
    const { parts, by } = this.#partsOf(move);
    this.#free -= parts;
    if (parts > PARTS_MIN) this.#crowded = by;
  }

  /** What it has to wait for; null where it may begin. */
  whyFull(move: Mover): string | null {
    if (this.#underWay >= this.movesMax)
      return `one of the ${this.movesMax} moves that may be under way to end`;
    return this.#free > 0 || this.#isUrgent(move) ? null : this.#othersToEnd();
  }

  /** The same, where others may begin all the same. */
  whyNotYet(move: Mover): string | null {
    for (const of of this.#shardsOf(move)) {
      const waitsFor = this.#whyBusy(of, move);
      if (waitsFor !== null) return waitsFor;
    }
    const { parts, by } = this.#partsOf(move);
    if (parts <= this.#free || this.#copying === 0 || this.#isUrgent(move)) return null;
    // Nor does anybody else begin: what takes up more room would wait for ever behind what takes up less.
    this.#free = 0;
    this.#crowded = by;
    return this.#othersToEnd();
  }

  #whyBusy(of: ShardOrdinal, move: Mover): string | null {
    const { stuck, state } = this.context;
    const { moves, copying } = this.#busy.get(of) ?? NOT_BUSY;
    // Of a newcomer that takes nothing in one move is enough to see that it does again.
    const isDoubted = of === move.add && (stuck.has(of) || copying < moves);
    if (moves >= (isDoubted ? 1 : MOVES_PER_SHARD_MAX)) return `moves from or to ${nameOf(state, of)} to end`;
    if (copying < this.#besideUsers(of, move)) return null;
    this.#crowded = of;
    return this.#othersToEnd();
  }

  #othersToEnd(): string {
    return `another move to end, since copies may give way to users at ${nameOf(this.context.state, this.#crowded!)}`;
  }

  #partsOf(move: Mover): { readonly parts: number; readonly by: ShardOrdinal } {
    const parts = this.#shardsOf(move).map((by) => ({ parts: PARTS / this.#besideUsers(by, move), by }));
    return parts.reduce((first, other) => (other.parts > first.parts ? other : first));
  }

  /** In how many moves a shard takes part at once. Who gives rows away and has not told of its users lately is to do that first. */
  #besideUsers(of: ShardOrdinal, move: Mover): number {
    const { reports, nowMs, rules } = this.context;
    if (this.#isUrgent(move)) return MOVES_PER_SHARD_MAX;
    const minutes = reports.quietMinutes(of, nowMs);
    if (minutes === null)
      return of === move.add ? MOVES_PER_SHARD_MAX : rules.movesBesideUsers(0, MOVES_PER_SHARD_MAX);
    return rules.movesBesideUsers(minutes, MOVES_PER_SHARD_MAX);
  }

  /** A replica that is lost is replaced, whoever waits meanwhile. */
  #isUrgent({ entry, add, remove }: Mover): boolean {
    const { state } = this.context;
    const replaced = remove === null ? entry.replicas : [remove];
    return add !== null && countHealthy(state, replaced) < replaced.length;
  }

  /** The shard that gives the rows, as far as it is known, and that which takes them. */
  #shardsOf({ entry, add }: Mover): ShardOrdinal[] {
    const source = this.context.reports.leaderOf(entry) ?? entry.preferredLeader;
    return add === null ? [source] : [source, add];
  }
}
