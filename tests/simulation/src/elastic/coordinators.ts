/**
 * The coordinators as far as placement goes: one store, and leaders that come and go. What a leader has in memory (reports,
 * what it remembers of moves) goes with it. One that was deposed does not know it for a while: it decides on what it
 * knew, and what it has sent may still arrive.
 */
import {
  decideCommand,
  PLANNER_RULES,
  PlacementLoop,
  type ClusterState,
  type Command,
  type Limits,
  type Look,
  type Pace,
  type PartitionReport,
  type ShardReport,
  type ShardVerdict,
  type Work,
} from '@ringleader/placement';
import type { PartitionIndex, Prng, ShardOrdinal } from '@ringleader/primitives';
import type { EventQueue, Trace } from '@ringleader/testing-simulation';
import type { CoordinatorStore } from './coordinator-store.js';
import type { BrokenShape } from './settings.js';

/** Between two looks when nothing is heard. */
const LOOK_EVERY_MS = 100;
/** A transaction takes so long; one of a leader that is deposed meanwhile may take longer. */
const COMMIT_MS = { min: 2, max: 20 };
const LATE_COMMIT_MS = 400;
const DEPOSED_GOES_ON_MS = 300;
const ELECTION_MS = { min: 30, max: 300 };
/** In place of the real ones, which are for seconds and minutes. */
const PACE: Pace = { pauseAfterAbandonMs: 400, pauseBetweenLeaderChangesMs: 100, elapsedEveryMs: 300 };

interface Surroundings {
  readonly events: EventQueue;
  readonly trace: Trace;
  readonly prng: Prng;
  readonly limits: Limits;
  readonly broken: BrokenShape;
  /** What a leader decided, on what it knew. */
  readonly decided: (state: ClusterState, look: Look) => void;
}

class Leader {
  readonly term: number;
  readonly loop: PlacementLoop;
  /** Null while it leads; then what it knew last. */
  frozen: ClusterState | null = null;
  isGone = false;
  isWaiting = false;

  constructor(term: number, { limits, broken }: Surroundings) {
    this.term = term;
    const rules = { ...PLANNER_RULES, ...broken.plannerRules };
    this.loop = new PlacementLoop({ initialLimits: limits, rules, pace: PACE });
  }
}

export class Coordinators {
  readonly store: CoordinatorStore;
  readonly #surroundings: Surroundings;
  readonly #everReady = new Set<PartitionIndex>();
  readonly #leases = new Map<string, number>();
  #leader: Leader | null = null;
  terms = 0;
  stepsTaken = 0;
  stepsRefused = 0;

  constructor(store: CoordinatorStore, surroundings: Surroundings) {
    this.store = store;
    this.#surroundings = surroundings;
  }

  get hasLeader(): boolean {
    return this.#leader !== null;
  }

  elect(): void {
    this.terms += 1;
    const leader = new Leader(this.terms, this.#surroundings);
    this.#leader = leader;
    this.#note('leads', leader.term);
    this.#lookFromTimeToTime(leader);
  }

  depose(): void {
    const { events, prng } = this.#surroundings;
    const leader = this.#leader;
    if (leader === null) return;
    this.#note('is deposed', leader.term);
    leader.frozen = this.store.state;
    this.#leader = null;
    events.after(prng.nextFloat() * DEPOSED_GOES_ON_MS, () => {
      leader.isGone = true;
    });
    events.after(this.#between(ELECTION_MS), () => {
      if (this.#leader === null) this.elect();
    });
  }

  /** False: nobody leads, ask again. */
  report(by: ShardOrdinal, { reports, quietMs }: ShardReport): boolean {
    const leader = this.#leader;
    if (leader === null) return false;
    const { now } = this.#surroundings.events;
    if (leader.loop.report(by, { reports: this.#heard(reports), quietMs }, now)) this.#look(leader);
    return true;
  }

  #heard(said: readonly PartitionReport[]): readonly PartitionReport[] {
    const { remembersReady, heard } = this.#surroundings.broken;
    const reports = heard === undefined ? said : said.map(heard);
    if (remembersReady !== true) return reports;
    for (const { partition, ready } of reports) if (ready) this.#everReady.add(partition);
    return reports.map((report) => ({ ...report, ready: this.#everReady.has(report.partition) }));
  }

  judge(shardId: string, verdict: ShardVerdict['verdict']): boolean {
    const before = this.store.state.verdicts.get(shardId)?.verdict ?? 'alive';
    if (this.#leader === null) return false;
    if (before === verdict) return true;
    this.#note(`finds ${shardId}`, verdict);
    this.store.setVerdict(shardId, { verdict, sinceMs: this.#surroundings.events.now });
    this.#look(this.#leader);
    return true;
  }

  /** Of a process that serves; it runs out when it is not kept. */
  keepLease(shardId: string, ordinal: ShardOrdinal, leaseMs: number): void {
    const leader = this.#leader;
    if (leader === null) return;
    const { events } = this.#surroundings;
    const until = events.now + leaseMs;
    this.#leases.set(shardId, until);
    events.after(leaseMs, () => {
      if (this.#leases.get(shardId) === until) this.store.setPresent(shardId, null);
    });
    if (this.store.state.present.get(shardId)?.ordinal === ordinal) return;
    this.store.setPresent(shardId, { ordinal, isServing: true });
    this.#look(leader);
  }

  /** Whether it was done. */
  command(command: Command): boolean {
    const { broken, events } = this.#surroundings;
    if (this.#leader === null) return false;
    const { state } = this.store;
    const decision = decideCommand(broken.commandsSee?.(state) ?? state, command, events.now);
    this.#note('command', command, decision.kind === 'refused' ? decision.code : 'done');
    if (decision.kind === 'refused') return false;
    const isDone = this.store.commit(decision.changes);
    this.#look(this.#leader);
    return isDone;
  }

  /** What is still to be done, and why it is not, as a leader sees it that knows no reports. */
  stillToDo(): string | null {
    const { limits, events } = this.#surroundings;
    const { state } = this.store;
    const { plan, places } = new PlacementLoop({ initialLimits: limits }).look(state, events.now);
    if (plan.blocked !== null) return plan.blocked;
    if (places.kept.length > 0) return places.kept.join('; ');
    if (places.changes !== null) return `places: ${JSON.stringify(places.notes)}`;
    const moves = [...plan.underWay, ...plan.wanted].map(({ partition, add, remove }) => {
      return `partition ${String(partition)}: ${String(remove)} > ${String(add)}`;
    });
    if (moves.length > 0) return moves.join('; ');
    return plan.leaderChanges.length > 0 ? 'leaders' : null;
  }

  #lookFromTimeToTime(leader: Leader): void {
    this.#surroundings.events.after(LOOK_EVERY_MS, () => {
      if (leader.isGone) return;
      this.#look(leader);
      this.#lookFromTimeToTime(leader);
    });
  }

  /** One look at a time, and no other one while its transactions are under way. */
  #look(leader: Leader): void {
    if (leader.isWaiting || leader.isGone) return;
    const { broken, events, decided } = this.#surroundings;
    const state = leader.frozen ?? this.store.state;
    const look = leader.loop.look(broken.seen?.(state) ?? state, events.now);
    decided(state, look);
    for (const work of look.work) this.#carryOut(leader, work);
    if (look.work.length === 0) return;
    leader.isWaiting = true;
    events.after(COMMIT_MS.max, () => {
      leader.isWaiting = false;
      this.#look(leader);
    });
  }

  #carryOut(leader: Leader, work: Work): void {
    const { events, prng, broken } = this.#surroundings;
    const changes = broken.written?.(work.changes) ?? work.changes;
    const arrive = (): void => {
      const isDone = this.store.commit(changes);
      if (isDone) this.stepsTaken += 1;
      else this.stepsRefused += 1;
      this.#note(`term ${String(leader.term)}: ${work.kind}`, isDone ? 'done' : 'refused', changes);
      if (isDone && this.#leader !== null && !this.#leader.isWaiting) this.#look(this.#leader);
    };
    const commitMs = this.#between(COMMIT_MS);
    const isLate = prng.nextBelow(2) === 0;
    events.after(commitMs, () => {
      if (leader.frozen === null) arrive();
      else if (isLate) events.after(prng.nextFloat() * LATE_COMMIT_MS, arrive);
    });
  }

  #between({ min, max }: { readonly min: number; readonly max: number }): number {
    return min + this.#surroundings.prng.nextFloat() * (max - min);
  }

  #note(what: string, ...details: readonly unknown[]): void {
    const { trace, events } = this.#surroundings;
    trace.add(events.now, `coordinator ${what}`, ...details);
  }
}
