import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import {
  type ClusterState,
  type Command,
  type Look,
  type Overview,
  type RecoveredPartition,
  type Refusal,
  type ShardReport,
  PlacementLoop,
  type Planner,
  type Work,
  applyChanges,
  decideCommand,
  decideRecovery,
  describe,
  nameOf,
} from '@ringleader/placement';
import { backOffMs, invariant } from '@ringleader/primitives';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { CoordinatorConfig, initialLimits } from '../coordinator.config.js';
import { notLeader } from '../members/member-errors.js';
import type { Recorded } from '../incidents/incidents.service.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { ClusterMirror } from './cluster-mirror.js';
import { Founding } from './founding.js';
import { PlacementLog } from './placement-log.js';

const BACK_OFF = { firstMs: 500, maxMs: 10_000 };
/** Proposed at once. */
const PROPOSALS_MAX = 64;
const COMMAND_TRIES = 5;
/** Deciding takes at most a fifth of the leader's time, however much happens and however large the map. */
const REST_FACTOR = 4;
const REST_FROM_MS = 2;
const NOT_WHOLE =
  'An entry of the partition map cannot be read by this version: nothing is decided about placement';
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface Recovered {
  readonly epoch: number;
  readonly partitions: readonly RecoveredPartition[];
  readonly nameOf: (ordinal: number) => string;
  /** Why the rest is not done; what stands here is. */
  readonly failure?: OperationalError;
}

/**
 * The placement loop (docs/PROTOCOL.md 6), on the leader: what `PlacementLoop` decides is proposed, each as one transaction on
 * the condition that what it was decided on still holds. Nothing else is kept: another leader goes on from the store.
 */
@Injectable()
export class PlacementService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #isLeading = false;
  #isRunning = false;
  /** Something may have changed since the running look. */
  #isDirty = false;
  #failures = 0;
  /** When time alone changes something. */
  #wakeAtMs: number | null = null;
  /** Until the timer ends. */
  #isResting = false;
  #timer: NodeJS.Timeout | null = null;
  #mirror: ClusterMirror | null = null;
  #loop: PlacementLoop;
  /** What the wall clock was ahead of the monotonic one when the loop was made. */
  #aheadMs = 0;
  #overview: { readonly overview: Overview; readonly untilMs: number } | null = null;
  readonly #founding: Founding;
  readonly log: PlacementLog;

  constructor(
    private readonly config: CoordinatorConfig,
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {
    this.#loop = this.#newLoop();
    this.#founding = new Founding(config, store, clock, logger);
    this.log = new PlacementLog(logger);
  }

  onApplicationBootstrap(): void {
    this.store.onChange(() => this.#follow());
    this.store.onLeadership(({ leading }) => {
      this.#isLeading = leading;
      this.#mirror = null;
      this.#overview = null;
      this.#loop = this.#newLoop(this.#loop.planner.ofLaterTerm());
      this.#failures = 0;
      this.log.clear();
      this.#stopTimer();
      if (leading) this.#wake();
    });
  }

  beforeApplicationShutdown(): void {
    this.#isLeading = false;
    this.#stopTimer();
  }

  /** What a shard says of the moves that it leads. */
  report(shardId: string, ordinal: number, said: ShardReport): void {
    const registered = this.#stateAsLeader().registrations.get(shardId)?.ordinal;
    if (registered !== ordinal) {
      const detail = `${shardId} is registered with ordinal ${registered ?? 'none'}, not ${ordinal}`;
      throw new OperationalError('FORBIDDEN', detail, { shard: shardId, ordinal });
    }
    if (this.#loop.report(ordinal, said, this.#nowMs())) this.#wake();
  }

  /** In a large cluster it is worked out anew only now and then, whoever asks. */
  overview(): Overview {
    const state = this.#stateAsLeader();
    const startedAt = performance.now();
    const last = this.#overview;
    if (last !== null && startedAt < last.untilMs) return last.overview;
    const overview = this.#describe(state, this.#loop.imagine(state, this.#nowMs()));
    const now = performance.now();
    this.#overview = { overview, untilMs: now + REST_FACTOR * (now - startedAt) };
    return overview;
  }

  /** As it would be after these commands; throws what the first of them that is refused would throw. */
  imagine(commands: readonly Command[]): Overview {
    let state = this.#stateAsLeader();
    const nowMs = this.#nowMs();
    for (const command of commands) {
      const decided = decideCommand(state, command, nowMs);
      if (decided.kind === 'refused') throw refused(decided);
      const next = applyChanges(state, decided.changes);
      invariant(next !== null, 'what was decided on a state can be done to it');
      state = next;
    }
    return this.#describe(state, this.#loop.imagine(state, nowMs));
  }

  /** The epoch of the plan after it. */
  async change(command: Command, ifEpoch: number | undefined): Promise<number> {
    for (let attempt = 1; attempt <= COMMAND_TRIES; attempt++) {
      const decided = decideCommand(this.#stateAsLeader(), command, this.#nowMs(), ifEpoch);
      if (decided.kind === 'refused') throw refused(decided);
      const result = await this.store.propose(this.#mirrorAsLeader().commandOf(decided.changes));
      // Whoever has changed something sees it.
      this.#overview = null;
      if (result.kind === 'txn' && result.succeeded) {
        this.logger.info({ command, epoch: decided.epoch }, 'Placement was told');
        return decided.epoch;
      }
    }
    throw new OperationalError('UNAVAILABLE', 'Too much changes at once: nothing was done');
  }

  /** A repeat of what is done recovers nothing more. */
  imagineRecovery(lost: readonly string[], ifEpoch: number | undefined): Recovered {
    const state = this.#stateAsLeader();
    const asked = { lost, ifEpoch, nowMs: this.#nowMs(), partitionsMax: Infinity };
    const decided = decideRecovery(state, asked);
    if (decided.kind === 'refused') throw refused(decided);
    return recovered(state, state.control!.epoch, decided.kind === 'done' ? [] : decided.partitions);
  }

  /**
   * In several transactions, if need be: what is left when one of them fails, is done when it is asked for again, at the same
   * epoch, too.
   */
  async recover(
    lost: readonly string[],
    ifEpoch: number | undefined,
    record: (partitions: readonly RecoveredPartition[], nameOf: Recovered['nameOf']) => Recorded,
  ): Promise<Recovered> {
    // What is refused is so before anything is done.
    const done = { ...this.imagineRecovery(lost, ifEpoch), partitions: [] as RecoveredPartition[] };
    try {
      for (let crossed = 0; crossed < COMMAND_TRIES;) {
        const decided = decideRecovery(this.#stateAsLeader(), { lost, ifEpoch, nowMs: this.#nowMs() });
        if (decided.kind === 'refused') throw refused(decided);
        if (decided.kind === 'done') return done;
        const { epoch, partitions } = decided;
        const command = this.#mirrorAsLeader().commandOf(decided.changes);
        const { compare, success } = record(partitions, done.nameOf);
        this.logger.warn({ lost, epoch, partitions }, 'Partitions are to go on without a majority');
        const result = await this.store.propose({
          ...command,
          compare: [...command.compare, ...compare],
          success: [...command.success, ...success],
        });
        this.#overview = null;
        if (result.kind !== 'txn' || !result.succeeded) {
          crossed += 1;
          continue;
        }
        this.logger.warn({ lost, epoch }, 'They go on without a majority');
        done.epoch = epoch;
        done.partitions.push(...partitions);
        if (!decided.hasMore) return done;
      }
      throw new OperationalError('UNAVAILABLE', 'Too much changes at once');
    } catch (error) {
      if (!(error instanceof OperationalError) || done.partitions.length === 0) throw error;
      return { ...done, failure: error };
    }
  }

  get mirrored(): ClusterState | null {
    return this.#isLeading ? (this.#mirror?.state ?? null) : null;
  }

  get bytesCopied(): number {
    return this.#loop.reports.bytesCopied;
  }

  /** Of what the plan still wants to be copied, as far as is known. */
  get bytesLeft(): number {
    const isKnown = this.mirrored !== null && this.#mirror?.isWhole === true;
    const isDone = this.log.underWay + this.log.wanted === 0;
    return isDone || !isKnown ? 0 : this.overview().plan.bytesTotal;
  }

  /**
   * All that the loop goes by: as the wall clock was when this leader began, and from then on without its jumps. What it puts
   * into records is for people.
   */
  #nowMs(): number {
    return this.clock.monotonicMs() + this.#aheadMs;
  }

  #newLoop(planner?: Planner): PlacementLoop {
    this.#aheadMs = this.clock.wallMs() - this.clock.monotonicMs();
    return new PlacementLoop({ initialLimits: initialLimits(this.config), ...(planner && { planner }) });
  }

  #describe(state: ClusterState, look: Pick<Look, 'plan' | 'decisions' | 'places'>): Overview {
    const { reports } = this.#loop;
    return describe({ state, look, reports, initialLimits: initialLimits(this.config) });
  }

  #stateAsLeader(): ClusterState {
    return this.#mirrorAsLeader().state;
  }

  #mirrorAsLeader(): ClusterMirror {
    const { leading, leader } = this.store.status();
    if (!leading || !this.#isLeading) throw notLeader(leader, 'Placement is decided by the leader');
    const mirror = this.#mirrorNow();
    if (!mirror.isWhole) throw new OperationalError('UNAVAILABLE', NOT_WHOLE);
    return mirror;
  }

  #mirrorNow(): ClusterMirror {
    const { local } = this.store;
    if (this.#mirror?.mirrors(local) !== true) {
      this.#mirror = new ClusterMirror(local, (error) =>
        this.logger.warn({ error }, 'A record of placement is not readable, and counts as not there'),
      );
    }
    return this.#mirror;
  }

  #follow(): void {
    if (!this.#isLeading) return;
    const isNew = this.#mirror?.mirrors(this.store.local) !== true;
    if (isNew || this.#mirror?.advance() === true) this.#wake();
  }

  #wake(): void {
    this.#isDirty = true;
    if (this.#isLeading && !this.#isRunning && !this.#isResting) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#stopTimer();
    let restMs = 0;
    try {
      while (this.#isDirty && this.#isLeading && restMs === 0) {
        this.#isDirty = false;
        restMs = await this.#turn();
      }
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      restMs = this.#backOff();
      this.logger.warn({ error, restMs }, 'A placement step was not confirmed');
    } finally {
      this.#isRunning = false;
    }
    if (!this.#isLeading) return;
    if (restMs > 0) this.#sleep(restMs, true);
    else if (this.#wakeAtMs !== null) this.#sleep(this.#wakeAtMs - this.#nowMs(), false);
  }

  /** Gives how long nothing is to be decided, whatever happens. */
  async #turn(): Promise<number> {
    this.#wakeAtMs = null;
    const mirror = this.#mirrorNow();
    if (!mirror.isWhole) {
      this.log.blockedBy(NOT_WHOLE);
      return 0;
    }
    if (!(await this.#founding.step(mirror.state.map.length > 0))) return 0;
    const startedAt = performance.now();
    const look = this.#loop.look(mirror.state, this.#nowMs());
    const tookMs = performance.now() - startedAt;
    this.log.saw(look, tookMs, this.#loop.planner.targetsComputed);
    this.#wakeAtMs = look.wakeAtMs;
    const restMs = tookMs < REST_FROM_MS ? 0 : REST_FACTOR * tookMs;
    const areDone = await this.#do(mirror, look.work);
    if (!areDone) return this.#backOff();
    this.#failures = 0;
    return restMs;
  }

  /** Whether all that was proposed was as decided. What is done shows in the mirror, and wakes. */
  async #do(mirror: ClusterMirror, work: readonly Work[]): Promise<boolean> {
    const commands = work.map((one) => [one, mirror.commandOf(one.changes)] as const);
    let areDone = true;
    for (let at = 0; at < commands.length; at += PROPOSALS_MAX) {
      const proposals = commands.slice(at, at + PROPOSALS_MAX).map(async ([one, command]) => {
        const result = await this.store.propose(command);
        if (result.kind === 'txn' && result.succeeded)
          this.log.did(one, (ordinal) => nameOf(mirror.state, ordinal));
        else areDone = false;
      });
      const outcomes = await Promise.allSettled(proposals);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }
    return areDone;
  }

  #backOff(): number {
    this.#isDirty = true;
    this.#failures += 1;
    return backOffMs(BACK_OFF, this.#failures);
  }

  #sleep(forMs: number, isResting: boolean): void {
    this.#isResting = isResting;
    this.#timer = setTimeout(
      () => {
        this.#stopTimer();
        this.#wake();
      },
      Math.min(Math.max(1, forMs), TIMER_MAX_MS),
    );
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isResting = false;
  }
}

/** Of the state before it: whoever is lost may have no name afterwards. */
function recovered(state: ClusterState, epoch: number, partitions: readonly RecoveredPartition[]): Recovered {
  const names = new Map(
    [...state.places].map(([ordinal, { shardId }]) => {
      const now = state.registrations.get(shardId)?.ordinal ?? ordinal;
      return [ordinal, now === ordinal ? shardId : `${shardId} (replaced)`];
    }),
  );
  return { epoch, partitions, nameOf: (ordinal) => names.get(ordinal) ?? nameOf(state, ordinal) };
}

function refused({ code, detail, details }: Refusal): OperationalError {
  return new OperationalError(code, detail, details);
}
