/**
 * A cluster as placement sees it, with an obvious data plane: who is up copies so much in a tick, a partition with its
 * majorities up has a leader, and detectors notice after a while. Time passes in ticks.
 */
import {
  type ClusterState,
  type Command,
  type MapEntry,
  type PartitionReport,
  type Overview,
  type Plan,
  PlacementLoop,
  type PlannerRules,
  type ShardVerdict,
  type Work,
  applyChanges,
  computeMap,
  decideCommand,
  isUnderWay,
  describe,
} from '../src/index.js';
import type { Prng } from '@ringleader/primitives';

export const TICK_MS = 250;
const TICKS_TO_BARRIER = 4;
const TICKS_TO_SUSPECT = 3;
const TICKS_TO_DOWN = 10;
const ORDINALS = 65_536;

export const LIMITS = { movesMax: 4, bytesPerSecondMax: 33_554_432, replaceAfterMs: 20_000 };

interface Process {
  ordinal: number;
  isUp: boolean;
  silentTicks: number;
}

export interface ModelOptions {
  readonly partitionCount?: number;
  readonly replicationFactor?: number;
  readonly shards: readonly { readonly zone?: string; readonly weight?: number }[];
  readonly rules?: PlannerRules;
  readonly ticksToCopy?: number;
  /** Which transactions are lost; none without it. */
  readonly prng?: Prng;
  readonly lossPercent?: number;
}

/** What was done to one partition, for those who check. */
export interface EntryChange {
  readonly before: MapEntry;
  readonly after: MapEntry;
  readonly work: Work;
  readonly state: ClusterState;
}

export class ModelCluster {
  state: ClusterState;
  nowMs = 1_000_000_000;
  aheadMs = 0;
  copies = 0;
  transactions = 0;
  readonly changes: EntryChange[] = [];
  readonly processes = new Map<string, Process>();
  loop: PlacementLoop;
  onEntryChange: (change: EntryChange) => void = () => undefined;
  #ordinals = 0;
  readonly #jointTicks = new Map<string, number>();
  readonly #ballots = new Map<number, number>();
  readonly #copied = new Map<string, number>();
  /** They are up, and take nothing in. */
  readonly stuck = new Set<number>();
  /** They run, without their databases. */
  readonly withoutDatabase = new Set<number>();
  /** They have no leader, or one whose new set does not follow. */
  readonly leaderless = new Set<number>();
  readonly notFollowed = new Set<number>();
  /** Users wait at these, and copies from them give way. */
  readonly crowded = new Set<number>();
  /** When they last did, by the shards themselves. */
  readonly gaveWayAtMs = new Map<number, number>();
  /** Joint epochs at which a leader was ready, as it truly was. */
  readonly ready = new Set<string>();

  constructor(private readonly options: ModelOptions) {
    const { partitionCount = 32, replicationFactor = 3, shards } = options;
    this.state = {
      ...{ partitionCount, replicationFactor, map: [], places: new Map(), moves: new Map(), control: null },
      ...{ registrations: new Map(), present: new Map(), verdicts: new Map(), elapsed: new Map() },
    };
    this.loop = this.#newLoop();
    for (const shard of shards) this.join(shard);
    const registered = [...this.state.registrations.values()];
    const first = computeMap({
      partitionCount,
      replicationFactor,
      shards: registered.map(({ shardId: id, ...rest }) => ({ id, ...rest })),
    });
    if (first.kind !== 'placed') throw new Error('too few shards for a first map');
    const map = first.partitions.map((placement, partition) => {
      return { partition, epoch: 1, ...placement, nextReplicas: null, learners: [] };
    });
    this.state = { ...this.state, map };
  }

  #newLoop(): PlacementLoop {
    return new PlacementLoop({
      initialLimits: LIMITS,
      ...(this.options.rules !== undefined && { rules: this.options.rules }),
    });
  }

  /** A new shard, or one that comes back under its name with an empty database. */
  join(
    { zone = '', weight = 1 }: { readonly zone?: string; readonly weight?: number },
    name?: string,
  ): string {
    const ordinal = ++this.#ordinals;
    const shardId = name ?? `shard-${ordinal}`;
    const registration = { shardId, ordinal, zone, weight };
    this.state = {
      ...this.state,
      registrations: new Map([...this.state.registrations, [shardId, registration]]),
    };
    this.processes.set(shardId, { ordinal, isUp: true, silentTicks: 0 });
    return shardId;
  }

  kill(shardId: string): void {
    this.processes.get(shardId)!.isUp = false;
  }

  /** As docs/PROTOCOL.md 6 has it: who was replaced registers as new. */
  start(shardId: string): void {
    const member = this.processes.get(shardId)!;
    member.isUp = true;
    const place = this.state.places.get(member.ordinal);
    const registration = this.state.registrations.get(shardId);
    if (place?.state === 'replaced' && registration !== undefined) this.join(registration, shardId);
  }

  /** Its database is empty. */
  forget(shardId: string): void {
    this.join(this.state.registrations.get(shardId)!, shardId);
  }

  quietMs(ordinal: number): number | null {
    const atMs = this.gaveWayAtMs.get(ordinal);
    return atMs === undefined ? null : this.nowMs - atMs;
  }

  /** Another coordinator leads: nothing is known but what the store has. Its wall clock is so far ahead of true time. */
  changeLeader(aheadMs = 0): void {
    this.loop = this.#newLoop();
    this.aheadMs = aheadMs;
  }

  /** By the clock of who leads. */
  get #leaderMs(): number {
    return this.nowMs + this.aheadMs;
  }

  command(command: Command): ReturnType<typeof decideCommand> {
    const decided = decideCommand(this.state, command, this.#leaderMs);
    if (decided.kind === 'changes') this.state = applyChanges(this.state, decided.changes)!;
    return decided;
  }

  tick(): number {
    this.nowMs += TICK_MS;
    for (const ordinal of this.crowded) this.gaveWayAtMs.set(ordinal, this.nowMs);
    this.#detect();
    this.#copy();
    let done = 0;
    for (const work of this.loop.look(this.state, this.#leaderMs).work) {
      done += 1;
      if (!this.#isLost()) this.#do(work);
    }
    return done;
  }

  overview(): Overview {
    const look = this.loop.imagine(this.state, this.#leaderMs);
    return describe({ state: this.state, look, reports: this.loop.reports, initialLimits: LIMITS });
  }

  /** Of the plan that is being carried out. */
  target(state: ClusterState): Plan['target'] {
    return this.loop.planner.fork().plan(state).target;
  }

  /** Whether nothing is left to be done, within so many ticks. */
  settles(ticksMax = 4_000): boolean {
    let quiet = 0;
    for (let ticks = 0; ticks < ticksMax; ticks++) {
      quiet = this.tick() === 0 && this.#isAtTarget() ? quiet + 1 : 0;
      if (quiet > TICKS_TO_DOWN) return true;
    }
    return false;
  }

  #isAtTarget(): boolean {
    const { plan } = this.loop.look(this.state, this.#leaderMs);
    const { underWay, wanted, leaderChanges } = plan;
    return underWay.length === 0 && wanted.length === 0 && leaderChanges.length === 0;
  }

  #isLost(): boolean {
    const { prng, lossPercent = 0 } = this.options;
    return prng !== undefined && prng.nextBelow(100) < lossPercent;
  }

  #do(work: Work): void {
    const next = applyChanges(this.state, work.changes);
    if (next === null) return;
    this.transactions += 1;
    for (const after of work.changes.entries) {
      const change = { before: this.state.map[after.partition]!, after, work, state: this.state };
      this.changes.push(change);
      this.onEntryChange(change);
      if (after.learners.length > 0) this.copies += 1;
    }
    this.state = next;
  }

  #detect(): void {
    const verdicts = new Map<string, ShardVerdict>();
    const present = new Map<string, { ordinal: number; isServing: boolean }>();
    for (const [shardId, member] of this.processes) {
      if (!this.state.registrations.has(shardId)) continue;
      member.silentTicks = member.isUp ? 0 : member.silentTicks + 1;
      if (member.silentTicks < TICKS_TO_DOWN)
        present.set(shardId, {
          ordinal: member.ordinal,
          isServing: !this.withoutDatabase.has(member.ordinal),
        });
      const verdict =
        member.silentTicks >= TICKS_TO_DOWN
          ? 'down'
          : member.silentTicks >= TICKS_TO_SUSPECT
            ? 'suspect'
            : 'alive';
      const before = this.state.verdicts.get(shardId);
      const sinceMs = before?.verdict === verdict ? before.sinceMs : this.#leaderMs;
      verdicts.set(shardId, { verdict, sinceMs });
    }
    this.state = { ...this.state, verdicts, present };
  }

  #takesIn(ordinal: number): boolean {
    return this.isUp(ordinal) && !this.stuck.has(ordinal);
  }

  /** Its copy comes further. */
  isCopying({ partition, nextReplicas, learners }: MapEntry): boolean {
    const [add] = learners;
    if (nextReplicas !== null || add === undefined || !this.#takesIn(add)) return false;
    return this.#copied.has(`${partition}/${add}`);
  }

  isUp(ordinal: number): boolean {
    return [...this.processes.values()].some((member) => member.ordinal === ordinal && member.isUp);
  }

  #copy(): void {
    if (this.state.map.some(isUnderWay)) this.#sayHowQuietItIs();
    for (const entry of this.state.map) {
      const { partition, epoch, nextReplicas, learners } = entry;
      if (nextReplicas === null && learners.length === 0) continue;
      const leader = this.leaderOf(entry);
      if (leader === null) continue;
      const report = {
        ...{ partition, epoch, ballot: this.#ballotOf(partition, leader), ready: false },
        learners: learners.map((ordinal) => this.#copyTo(ordinal, entry)),
      };
      if (nextReplicas?.includes(leader) === true) report.ready = this.#isBarrierCommitted(entry);
      this.#report(leader, report);
    }
  }

  #sayHowQuietItIs(): void {
    for (const { ordinal, isUp } of this.processes.values())
      if (isUp) this.loop.report(ordinal, { reports: [], quietMs: this.quietMs(ordinal) }, this.#leaderMs);
  }

  /** That takes a while; once it is so it stays so. */
  #isBarrierCommitted({ partition, epoch }: MapEntry): boolean {
    const key = `${partition}/${epoch}`;
    const ticks = (this.#jointTicks.get(key) ?? 0) + 1;
    this.#jointTicks.set(key, ticks);
    if (ticks >= TICKS_TO_BARRIER && !this.notFollowed.has(partition)) this.ready.add(key);
    return this.ready.has(key);
  }

  #copyTo(ordinal: number, { partition }: MapEntry): PartitionReport['learners'][number] {
    const { ticksToCopy = 4 } = this.options;
    const key = `${partition}/${ordinal}`;
    const copied = Math.min(ticksToCopy, (this.#copied.get(key) ?? 0) + (this.#takesIn(ordinal) ? 1 : 0));
    this.#copied.set(key, copied);
    const caughtUp = copied === ticksToCopy;
    return { ordinal, caughtUp, bytesDone: copied * 100, bytesTotal: ticksToCopy * 100 };
  }

  /** A higher one for each other leader. */
  #ballotOf(partition: number, leader: number): number {
    const last = this.#ballots.get(partition) ?? 0;
    if (last % ORDINALS === leader) return last;
    const ballot = (Math.floor(last / ORDINALS) + 1) * ORDINALS + leader;
    this.#ballots.set(partition, ballot);
    return ballot;
  }

  #report(leader: number, report: PartitionReport): void {
    this.loop.report(leader, { reports: [report] }, this.#leaderMs);
  }

  /** In both sets where there is one; nobody without the majorities. */
  leaderOf({ partition, replicas, nextReplicas, preferredLeader }: MapEntry): number | null {
    const sets = nextReplicas === null ? [replicas] : [replicas, nextReplicas];
    const up = (set: readonly number[]): number[] => set.filter((ordinal) => this.isUp(ordinal));
    if (this.leaderless.has(partition) || sets.some((set) => up(set).length <= set.length / 2)) return null;
    const candidates = up(nextReplicas ?? replicas);
    return candidates.includes(preferredLeader) ? preferredLeader : candidates[0]!;
  }
}
