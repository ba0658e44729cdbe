/**
 * What is done next, and what everything else waits for. One pass says both, so that what an operator reads is what the
 * executor goes by. Each step is a new entry of one partition (docs/PROTOCOL.md 6): learn, joint, settle, abandon, and the
 * change of a preferred leader, which costs an election and is therefore made with a settle where there is one.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { LeaderChange } from '../moves.js';
import { type Changes, changesOn } from './changes.js';
import { type Control, type MapEntry, downSince, healthOf, isEligible, nameOf } from './cluster-state.js';
import { chooseLeader, countHealthy, majorityOf, setsOf } from './exchange.js';
import { type MoveUnderWay, type Plan, type WantedMove, byUrgency, hasLostMajority } from './planner.js';
import { Room, type RoomContext } from './room.js';
import type { Exchange } from './replicated.js';
import type { PlannerRules } from './rules.js';

export interface Step {
  readonly kind: 'learn' | 'joint' | 'settle' | 'abandon' | 'lead';
  readonly partition: PartitionIndex;
  readonly add: ShardOrdinal | null;
  readonly remove: ShardOrdinal | null;
  readonly why: string;
  /** It would begin at once again, and is to let the others go first. */
  readonly holdsOff: boolean;
  /** In what it came no further; null for all others. */
  readonly stoodStill: MoveUnderWay['phase'] | null;
  readonly changes: Changes;
}

export interface Decision<Move> {
  readonly move: Move;
  readonly step: Step | null;
  /** What its next step waits for. */
  readonly waitsFor: string;
}

export interface Decisions {
  readonly steps: readonly Step[];
  readonly underWay: readonly Decision<MoveUnderWay>[];
  readonly wanted: readonly Decision<WantedMove>[];
  /** When time alone changes something. */
  readonly wakeAtMs: number | null;
}

export interface StepsContext extends RoomContext {
  readonly plan: Plan;
  /** Partitions whose move was taken back: they begin again after this time. */
  readonly notBefore: ReadonlyMap<PartitionIndex, number>;
  /** Partitions that came no further when they were tried last: others go first that need it as much. */
  readonly stoodStill: ReadonlySet<PartitionIndex>;
  /** Preferred leaders may change again from then on. */
  readonly leadersNotBeforeMs: number;
  readonly rules: PlannerRules;
}

const LEADER_CHANGES_AT_ONCE = 4;
/** A restart takes seconds: whoever is away for longer makes no move wait. */
const NEWCOMER_DOWN_MS = 30_000;
/** A copy gives way to users, but comes further all the time. Of both sets it is not told how far they are. */
const STANDSTILL_MS = { learn: 600_000, joint: 3_600_000 };
/** Who has come no further for so long takes nothing from users. */
const RESTS_MS = 30_000;

export function decideSteps(context: StepsContext): Decisions {
  const { control } = context.state;
  if (control === null) return { steps: [], underWay: [], wanted: [], wakeAtMs: null };
  return new StepsDecision(context, control).decide();
}

type Outcome =
  | { readonly step: Step }
  /** It rests while it comes no further. */
  | { readonly waitsFor: string; readonly rests?: boolean };

class StepsDecision {
  readonly #room: Room;
  #wakeAtMs: number | null = null;
  #isWaitedFor: boolean | null = null;

  constructor(
    private readonly context: StepsContext,
    private readonly control: Control,
  ) {
    this.#room = new Room(context, control.limits.movesMax);
  }

  decide(): Decisions {
    const { plan } = this.context;
    const underWay = plan.underWay.map((move) => {
      const outcome = this.#goOn(move);
      // One that ends now is counted until it has ended.
      this.#room.occupy(move, 'rests' in outcome && outcome.rests);
      return decision(move, outcome);
    });
    const wanted = this.#begin();
    const steps = [...underWay, ...wanted].flatMap(({ step }) => step ?? []);
    if (steps.length === 0 && underWay.length === 0) steps.push(...this.#changeLeaders());
    return { steps, underWay, wanted, wakeAtMs: this.#wakeAtMs };
  }

  #goOn(move: MoveUnderWay): Outcome {
    const { rules, state } = this.context;
    if (move.record?.isAbandoned === true) return { step: this.#abandon(move, 'it was cancelled', true) };
    if (!rules.goesOn(this.control)) return { waitsFor: 'placement is paused' };
    const unwanted = this.#whyUnwanted(move);
    if (unwanted !== null) return { step: this.#abandon(move, unwanted) };
    const { add } = move;
    const health = add === null ? 'alive' : healthOf(state, add);
    if (hasLostMajority(state, move.entry))
      return { waitsFor: 'a majority of its replicas, which is lost for good: it cannot end', rests: true };
    const lacking = this.#lacking(move.entry);
    if (lacking !== null) return this.#awaitMajority(move, lacking);
    if (move.phase === 'learn') return health === 'alive' ? this.#learnt(move) : this.#awaitNewcomer(move);
    return rules.maySettleOnto(health) ? this.#settle(move) : this.#awaitNewcomer(move);
  }

  /** Null: it is still wanted, or goes on for another reason. */
  #whyUnwanted({ phase, entry, add, remove, record }: MoveUnderWay): string | null {
    const { state } = this.context;
    if (phase === 'learn' && record === null) return 'it has no record';
    if (add !== null && healthOf(state, add) === 'gone') return `${nameOf(state, add)} never comes back`;
    if (this.#leadsToTarget(entry, { add, remove })) return null;
    // A copy that is there is worth more than a replica that is lost.
    const isWorthMore = phase === 'joint' && remove !== null && healthOf(state, remove) === 'gone';
    return isWorthMore ? null : 'the plan has changed';
  }

  #leadsToTarget({ partition }: MapEntry, { add, remove }: Exchange): boolean {
    const { state, plan } = this.context;
    const target = plan.target?.[partition]?.replicas;
    const isAimedAt = (ordinal: ShardOrdinal): boolean =>
      target?.includes(ordinal) ?? isEligible(state, ordinal);
    return (add === null || isAimedAt(add)) && (remove === null || target?.includes(remove) !== true);
  }

  /** Where the old set has a majority, to take the move back is to have one again. Else others are not to wait for it, too. */
  #awaitMajority(move: MoveUnderWay, lacking: readonly ShardOrdinal[]): Outcome {
    const { state, plan, nowMs } = this.context;
    const { phase, entry } = move;
    if (phase === 'joint' && countHealthy(state, entry.replicas) >= majorityOf(entry.replicas))
      return { step: this.#abandon(move, 'the new replicas have no majority that is up', true) };
    const waitsFor = this.#withMajority(entry, '');
    if (plan.wanted.length === 0) return { waitsFor, rests: true };
    const downs = lacking.map((ordinal) => downSince(state, ordinal) ?? Number.POSITIVE_INFINITY);
    const untilMs = downs.sort((a, b) => a - b)[lacking.length - majorityOf(lacking)]! + NEWCOMER_DOWN_MS;
    if (untilMs <= nowMs) return { step: this.#abandon(move, 'a majority of its replicas is down', true) };
    if (Number.isFinite(untilMs)) this.#wakeAt(untilMs);
    return { waitsFor, rests: true };
  }

  #awaitNewcomer(move: MoveUnderWay): Outcome {
    const { state, nowMs } = this.context;
    const { add } = move;
    const name = nameOf(state, add!);
    const since = downSince(state, add!);
    if (since === null) return { waitsFor: `${name}, which is suspect`, rests: true };
    const untilMs = since + Math.min(NEWCOMER_DOWN_MS, this.control.limits.replaceAfterMs);
    if (untilMs <= nowMs) return { step: this.#abandon(move, `${name} is down`, true) };
    this.#wakeAt(untilMs);
    return { waitsFor: `${name}, which is down`, rests: true };
  }

  #learnt(move: MoveUnderWay): Outcome {
    const { entry, add } = move;
    if (add !== null && !this.context.reports.isCaughtUp(entry, add)) {
      const name = nameOf(this.context.state, add);
      const waitsFor = `${name} to have copied the partition`;
      return this.#awaitProgress(move, waitsFor, `the copy to ${name} does not come further`);
    }
    return { step: this.#toJoint(move) };
  }

  /** A newcomer that is up and takes nothing in, or does not follow, is not to keep others from moving. */
  #awaitProgress(move: MoveUnderWay, waitsFor: string, standstill: string): Outcome {
    const { reports, nowMs } = this.context;
    const sinceMs = reports.standsStillSinceMs(move.entry) ?? nowMs;
    const standsForMs = nowMs - sinceMs;
    const mostMs = STANDSTILL_MS[move.phase];
    if (standsForMs >= mostMs && this.#othersCould()) {
      return { step: { ...this.#abandon(move, standstill, true), stoodStill: move.phase } };
    }
    const rests = standsForMs >= RESTS_MS;
    const nextMs = sinceMs + (rests ? mostMs : RESTS_MS);
    if (this.context.plan.wanted.length > 0 && nextMs > nowMs) this.#wakeAt(nextMs);
    return { waitsFor: this.#withMajority(move.entry, waitsFor), rests };
  }

  /** Whether anything else could begin that is worth more than what stands still. */
  #othersCould(): boolean {
    const { plan, stoodStill } = this.context;
    this.#isWaitedFor ??= plan.wanted.some(
      (move) => !stoodStill.has(move.partition) && this.#whyCannot(move) === null,
    );
    return this.#isWaitedFor;
  }

  /**
   * The present leader prepares at once in the new epoch, and one that leaves hands over first (docs/PROTOCOL.md 4.4.8): to
   * somebody in both sets.
   */
  #toJoint(move: Pick<MoveUnderWay, 'partition' | 'entry' | 'add' | 'remove' | 'record'>): Step {
    const { state, plan, rules, nowMs } = this.context;
    const { entry, partition, add, remove, record } = move;
    const nextReplicas = rules.nextReplicas(
      entry.replicas,
      { add, remove },
      plan.target?.[partition]?.replicas,
    );
    const staying = entry.replicas.filter((ordinal) => nextReplicas.includes(ordinal));
    const leader = chooseLeader(state, [entry.preferredLeader], staying.length > 0 ? staying : nextReplicas);
    const next = { ...entry, epoch: entry.epoch + 1, nextReplicas, learners: [], preferredLeader: leader };
    const moves = [{ partition, add, remove, startedAtMs: record?.startedAtMs ?? nowMs, isAbandoned: false }];
    return stepOf('joint', move, 'the newcomer has caught up', changesOn(state, { entries: [next], moves }));
  }

  #settle(move: MoveUnderWay): Outcome {
    const { state, plan, reports } = this.context;
    const { entry, partition } = move;
    if (!reports.isReady(entry))
      return this.#awaitProgress(move, this.#whatLeaderOwes(entry), 'both sets do not follow');
    const replicas = entry.nextReplicas!;
    const wished = plan.target?.[partition]?.preferredLeader ?? entry.preferredLeader;
    const next = {
      ...entry,
      epoch: entry.epoch + 1,
      replicas,
      nextReplicas: null,
      learners: [],
      preferredLeader: chooseLeader(state, [wished, entry.preferredLeader], replicas),
    };
    const changes = changesOn(state, { entries: [next], movesEnded: [partition] });
    return { step: stepOf('settle', move, 'both sets follow', changes) };
  }

  /** While keyed writes are remembered, it hands over only to who has seen them pass for as long as they may be repeated. */
  #whatLeaderOwes(entry: MapEntry): string {
    const { state, reports } = this.context;
    const leader = reports.leaderOf(entry);
    if (leader === null || entry.nextReplicas?.includes(leader) === true)
      return 'its leader to say that both sets follow';
    return `${nameOf(state, leader)}, which leads it and is to leave, to hand it over`;
  }

  #withMajority(entry: MapEntry, waitsFor: string): string {
    const { state } = this.context;
    const lacking = this.#lacking(entry);
    if (lacking === null) return waitsFor;
    const down = lacking.filter((ordinal) => ['down', 'gone'].includes(healthOf(state, ordinal)));
    return `${down.map((ordinal) => nameOf(state, ordinal)).join(' and ')}: a majority of its replicas is down`;
  }

  /** The set without a majority that is up; null if there is none. */
  #lacking(entry: MapEntry): readonly ShardOrdinal[] | null {
    const { state } = this.context;
    return setsOf(entry).find((set) => countHealthy(state, set) < majorityOf(set)) ?? null;
  }

  #abandon(move: MoveUnderWay, why: string, holdsOff = false): Step {
    const { state } = this.context;
    const { entry, partition } = move;
    const next = {
      ...entry,
      epoch: entry.epoch + 1,
      nextReplicas: null,
      learners: [],
      preferredLeader: chooseLeader(state, [entry.preferredLeader], entry.replicas),
    };
    const changes = changesOn(state, { entries: [next], movesEnded: [partition] });
    return { ...stepOf('abandon', move, why, changes), holdsOff };
  }

  #begin(): Decision<WantedMove>[] {
    const { plan, rules } = this.context;
    return this.#inTurn(plan.wanted).map((move) => {
      const waitsFor = rules.goesOn(this.control)
        ? (this.#room.whyFull(move) ?? this.#whyCannot(move) ?? this.#room.whyNotYet(move))
        : 'placement is paused';
      if (waitsFor !== null) return decision(move, { waitsFor });
      this.#room.occupy(move);
      return decision(move, { step: this.#learn(move) });
    });
  }

  #inTurn(wanted: readonly WantedMove[]): readonly WantedMove[] {
    const { stoodStill } = this.context;
    if (stoodStill.size === 0) return wanted;
    const stood = ({ partition }: WantedMove): number => (stoodStill.has(partition) ? 1 : 0);
    return [...wanted].sort((a, b) => byUrgency(a, b) || stood(a) - stood(b) || a.partition - b.partition);
  }

  /** Whatever else goes on. */
  #whyCannot({ partition, entry, add }: WantedMove): string | null {
    const { state, notBefore, nowMs } = this.context;
    const untilMs = notBefore.get(partition) ?? 0;
    if (untilMs > nowMs) {
      this.#wakeAt(untilMs);
      return 'some time to pass, since it was taken back';
    }
    if (hasLostMajority(state, entry)) return 'a majority of its replicas, which is lost for good';
    const lacking = this.#withMajority(entry, '');
    if (lacking !== '') return lacking;
    if (add === null) return null;
    const name = nameOf(state, add);
    const health = healthOf(state, add);
    if (health !== 'alive') return `${name}, which is ${health}`;
    const present = state.present.get(name);
    return present?.ordinal === add && present.isServing ? null : `${name}, which does not serve`;
  }

  #learn(move: WantedMove): Step {
    const { state, nowMs } = this.context;
    const { partition, add, remove, entry, reason } = move;
    if (add === null) return this.#toJoint({ ...move, record: null });
    const next = { ...entry, epoch: entry.epoch + 1, learners: [add] };
    const record = { partition, add, remove, startedAtMs: nowMs, isAbandoned: false };
    return stepOf('learn', move, reason, changesOn(state, { entries: [next], moves: [record] }));
  }

  #changeLeaders(): Step[] {
    const { plan, nowMs, leadersNotBeforeMs, rules } = this.context;
    const possible = plan.leaderChanges.filter(({ to }) => healthOf(this.context.state, to) === 'alive');
    if (possible.length === 0 || !rules.goesOn(this.control)) return [];
    if (leadersNotBeforeMs > nowMs) {
      this.#wakeAt(leadersNotBeforeMs);
      return [];
    }
    return possible.slice(0, LEADER_CHANGES_AT_ONCE).map((change) => this.#lead(change));
  }

  #lead({ partition, from, to }: LeaderChange): Step {
    const { state } = this.context;
    const entry = state.map[partition]!;
    const next = { ...entry, epoch: entry.epoch + 1, preferredLeader: to };
    const why = `${nameOf(state, to)} leads in place of ${nameOf(state, from)}`;
    return stepOf('lead', { partition, add: null, remove: null }, why, changesOn(state, { entries: [next] }));
  }

  #wakeAt(atMs: number): void {
    this.#wakeAtMs = this.#wakeAtMs === null ? atMs : Math.min(this.#wakeAtMs, atMs);
  }
}

function stepOf(
  kind: Step['kind'],
  { partition, add, remove }: Pick<Step, 'partition' | 'add' | 'remove'>,
  why: string,
  changes: Changes,
): Step {
  return { kind, partition, add, remove, why, holdsOff: false, stoodStill: null, changes };
}

function decision<Move>(move: Move, outcome: Outcome): Decision<Move> {
  if ('step' in outcome) return { move, step: outcome.step, waitsFor: 'nothing: it is done now' };
  return { move, step: null, waitsFor: outcome.waitsFor };
}
