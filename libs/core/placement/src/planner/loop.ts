/**
 * The placement loop without its shell: state in, transactions out. It remembers only what the store need not: the target,
 * reports, and when a move that was taken back may begin again. Another leader begins without that, and comes to the same.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { type Changes, applyChanges, changesOn } from './changes.js';
import { type ClusterState, type Limits, isUnderWay } from './cluster-state.js';
import { type PlaceChange, type PlacesDecision, settlePlaces } from './places.js';
import { type Plan, Planner } from './planner.js';
import { MoveReports, type PartitionReport } from './reports.js';
import { PLANNER_RULES, type PlannerRules } from './rules.js';
import { type DueElapsed, type Sighting, dueElapsed, sight } from './sightings.js';
import { type Decisions, type Step, decideSteps } from './steps.js';

/** One transaction; those of one look concern different partitions and may be made at once. */
export type Work =
  | { readonly kind: 'places'; readonly changes: Changes; readonly notes: readonly PlaceChange[] }
  | { readonly kind: 'elapsed'; readonly changes: Changes }
  | (Step & { readonly changes: Changes });

export interface Look {
  /** Empty: nothing is to be done before something changes, or the time has come. */
  readonly work: readonly Work[];
  readonly plan: Plan;
  readonly decisions: Decisions;
  readonly places: PlacesDecision;
  readonly wakeAtMs: number | null;
}

export interface LoopOptions {
  /** Of a cluster that has no control record yet. */
  readonly initialLimits: Limits;
  readonly rules?: PlannerRules;
  readonly pace?: Pace;
  /** One that was made of another's, which the same member had when it led before. */
  readonly planner?: Planner;
}

/** What a shard says of what it leads, and of itself. */
export interface ShardReport {
  readonly reports: readonly PartitionReport[];
  /** Since copies from it last gave way to users on a crowded machine; null: they never did; without it nothing is known. */
  readonly quietMs?: number | null | undefined;
}

export interface Pace {
  /** Whatever was taken back lets the others go first. */
  readonly pauseAfterAbandonMs: number;
  /** Each change of a preferred leader is an election. */
  readonly pauseBetweenLeaderChangesMs: number;
  /** Between two times that it is written down how long shards have been down: the next leader counts so much less at most. */
  readonly elapsedEveryMs: number;
}

const PACE: Pace = {
  pauseAfterAbandonMs: 30_000,
  pauseBetweenLeaderChangesMs: 500,
  elapsedEveryMs: 15_000,
};

export class PlacementLoop {
  readonly reports: MoveReports;
  readonly planner: Planner;
  readonly #rules: PlannerRules;
  readonly #pace: Pace;
  readonly #notBefore = new Map<PartitionIndex, number>();
  readonly #stuck = new Set<ShardOrdinal>();
  readonly #stoodStill = new Set<PartitionIndex>();
  #leadersNotBeforeMs = 0;
  #watchedSinceMs: number | null = null;
  #sighting: Sighting | null = null;

  constructor(private readonly options: LoopOptions) {
    this.#rules = options.rules ?? PLANNER_RULES;
    this.#pace = options.pace ?? PACE;
    this.reports = new MoveReports(this.#rules);
    this.planner = options.planner ?? new Planner(this.#rules);
  }

  /** Whether it is worth another look. */
  report(by: ShardOrdinal, { reports, quietMs }: ShardReport, nowMs: number): boolean {
    const isNews = this.reports.take(by, reports, nowMs);
    return (quietMs !== undefined && this.reports.takeQuiet(by, quietMs, nowMs)) || isNews;
  }

  /**
   * Decides, and changes nothing but its own memory. All its times are by one clock, which never jumps: that of a loop is its
   * own.
   */
  look(stored: ClusterState, nowMs: number): Look {
    this.reports.follow(stored.map.filter(isUnderWay), nowMs);
    this.#sighting = sight(stored, this.#sighting, nowMs);
    const state = { ...stored, verdicts: this.#sighting.verdicts };
    const places = this.#places(state, this.#sighting, nowMs);
    const settled = withPlaces(state, places);
    const plan = this.planner.plan(settled);
    const decisions = this.#decide(settled, plan, nowMs);
    // Steps rest on the places as they are in the store: first these.
    if (places.changes !== null) {
      const work: Work[] = [{ kind: 'places', changes: places.changes, notes: places.notes }];
      return { work, plan, decisions, places, wakeAtMs: earliest(places.wakeAtMs, decisions.wakeAtMs) };
    }
    this.#remember(decisions.steps, nowMs);
    const due = dueElapsed(this.#sighting, state, { nowMs, everyMs: this.#pace.elapsedEveryMs });
    const wakeAtMs = earliest(earliest(places.wakeAtMs, decisions.wakeAtMs), due.wakeAtMs);
    return { work: [...decisions.steps, ...elapsedWork(state, due)], plan, decisions, places, wakeAtMs };
  }

  /** The same for a state that is not so: what would be planned. The loop's own memory stays as it is. */
  imagine(stored: ClusterState, nowMs: number): Omit<Look, 'work' | 'wakeAtMs'> {
    const sighting = sight(stored, this.#sighting, nowMs);
    const state = { ...stored, verdicts: sighting.verdicts };
    const places = this.#places(state, sighting, nowMs);
    const settled = withPlaces(state, places);
    const plan = this.planner.fork().plan(settled);
    return { plan, places, decisions: this.#decide(settled, plan, nowMs) };
  }

  #places(state: ClusterState, { replacedSince }: Sighting, nowMs: number): PlacesDecision {
    this.#watchedSinceMs ??= nowMs;
    const [{ initialLimits }, watchedSinceMs, rules] = [this.options, this.#watchedSinceMs, this.#rules];
    return settlePlaces({ state, nowMs, initialLimits, watchedSinceMs, replacedSince, rules });
  }

  #decide(state: ClusterState, plan: Plan, nowMs: number): Decisions {
    return decideSteps({
      state,
      plan,
      reports: this.reports,
      nowMs,
      notBefore: this.#notBefore,
      stuck: this.#stuck,
      stoodStill: this.#stoodStill,
      leadersNotBeforeMs: this.#leadersNotBeforeMs,
      rules: this.#rules,
    });
  }

  #remember(steps: readonly Step[], nowMs: number): void {
    const { pauseAfterAbandonMs, pauseBetweenLeaderChangesMs } = this.#pace;
    for (const step of steps) {
      this.#rememberStandstill(step);
      if (step.holdsOff) this.#notBefore.set(step.partition, nowMs + pauseAfterAbandonMs);
      if (step.kind === 'lead') this.#leadersNotBeforeMs = nowMs + pauseBetweenLeaderChangesMs;
    }
    for (const [partition, untilMs] of this.#notBefore)
      if (untilMs <= nowMs) this.#notBefore.delete(partition);
  }

  #rememberStandstill({ kind, partition, add, stoodStill }: Step): void {
    if (stoodStill !== null) this.#stoodStill.add(partition);
    else if (kind === 'settle') this.#stoodStill.delete(partition);
    if (add === null) return;
    if (stoodStill === 'learn') this.#stuck.add(add);
    else if (kind === 'joint') this.#stuck.delete(add);
  }
}

/** As it will be at once. */
function withPlaces(state: ClusterState, { changes }: PlacesDecision): ClusterState {
  return changes === null ? state : (applyChanges(state, changes) ?? state);
}

function elapsedWork(state: ClusterState, { elapsed }: DueElapsed): Work[] {
  return elapsed === null ? [] : [{ kind: 'elapsed', changes: changesOn(state, { elapsed }) }];
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
