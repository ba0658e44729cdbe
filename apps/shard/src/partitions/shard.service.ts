/**
 * Life after life of the shard: open the database and register, run a core on it until the storage fails, wait, begin
 * anew. What outlives the lives is here: subscriptions, the partition map, announcements.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { PartitionEntry } from '@ringleader/contracts';
import { PartitionMapMirror, PlacementLimitsMirror } from '@ringleader/coordination';
import { systemClock, togetherEvery } from '@ringleader/observability';
import { RestartBackOff, type ShardOrdinal } from '@ringleader/primitives';
import { Coordination, HeapPressure, HostSigns, Membership, StopBudget } from '@ringleader/service-host';
import { ShardConfig } from '../shard.config.js';
import { DatabasePreparation } from '../storage/database-preparation.js';
import { BACK_OFF, FORGET_FAILURES_AFTER_MS, isFatal } from '../storage/database-settings.js';
import { CaughtUp } from './caught-up.js';
import { NatsDataPath } from './data-path.nats.js';
import { FrameRouter } from './frame-router.js';
import { IncidentReporter } from './incident-reporter.js';
import { LeaderAnnouncer } from './leader-announcer.js';
import { MoveReporter } from './move-reporter.js';
import { RegistrationWatch } from './registration-watch.js';
import { RequestDesk } from './request-desk.js';
import { ShardActivity } from './shard-activity.js';
import { ShardClock } from './shard-clock.js';
import { comesBackAsNew } from './coming-back.js';
import { DatabaseAbsence } from './database-absence.js';
import { SetAsideSweeper } from './set-aside-sweeper.js';
import type { ShardDriver } from './shard-driver.js';
import { startLife } from './shard-life.js';
import { type OpenedShard, ShardOpening } from './shard-opening.js';
import { UNREADABLE } from './unreadable.js';
import { VerificationFollower } from './verification-follower.js';
import { WalReporter } from './wal-reporter.js';

/** What a shard has of its process. */
@Injectable()
export class ShardSurroundings {
  @Inject(HeapPressure) readonly pressure!: HeapPressure;
  @Inject(StopBudget) readonly budget!: StopBudget;
  @Inject(Membership) readonly membership!: Pick<Membership, 'isRegistered' | 'registered' | 'setSilent'>;

  constructor(
    readonly config: ShardConfig,
    readonly coordination: Coordination,
    /** Its log, its probes, and where it says that it cannot go on. */
    readonly signs: HostSigns,
    readonly preparation: DatabasePreparation,
  ) {}
}

/** What stays for all lives once the ordinal is known. */
interface Station {
  readonly ordinal: ShardOrdinal;
  readonly desk: RequestDesk;
  readonly announcer: LeaderAnnouncer;
  readonly router: FrameRouter;
}

interface Life {
  readonly opened: OpenedShard;
  readonly driver: ShardDriver;
  readonly caughtUp: CaughtUp;
}

const ANNOUNCE_ALL_INTERVAL_MS = 500;
const REPORT_WITHIN_MS = 500;
const RELEASE_WITHIN_MS = 1_500;
const CLOSE_WITHIN_MS = 1_000;
const LISTED_WITHIN_MS = 1_000;

@Injectable()
export class ShardService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly map: PartitionMapMirror;
  private readonly opening: ShardOpening;
  private readonly walReporter: WalReporter;
  private readonly moveReporter: MoveReporter;
  private readonly registration: RegistrationWatch;
  private readonly verification: VerificationFollower;
  private readonly incidents: IncidentReporter;
  private readonly sweeper: SetAsideSweeper;
  private readonly limits: PlacementLimitsMirror;
  private readonly backOff = new RestartBackOff(BACK_OFF, FORGET_FAILURES_AFTER_MS);
  private station: Station | null = null;
  private life: Life | null = null;
  private isStopping = false;
  private isMapRead = false;
  private readonly absence: DatabaseAbsence;
  private endAnnouncing: () => void = () => undefined;
  private tellServing: (ordinal: ShardOrdinal | null) => void = () => undefined;
  private endLife: (error: unknown) => void = () => undefined;
  /** Why there is no life now. */
  private trouble = 'the database is not open yet';
  private readonly registered = Promise.withResolvers<ShardOrdinal>();

  constructor(
    private readonly surroundings: ShardSurroundings,
    readonly dataPath: NatsDataPath,
    readonly clock: ShardClock,
    readonly activity: ShardActivity,
  ) {
    const { config, coordination: client, signs } = surroundings;
    const { logger, health } = signs;
    const { RINGLEADER_MEMBER: shardId } = config;
    this.map = new PartitionMapMirror({
      client,
      clock: systemClock,
      onChange: (changed) => this.learn(changed),
      onTrouble: (error) => logger.debug({ error }, 'The partition map cannot be followed'),
      onUnreadable: (error) => logger.warn({ error }, UNREADABLE),
    });
    this.limits = new PlacementLimitsMirror({
      client,
      clock: systemClock,
      onChange: ({ bytesPerSecondMax }) => this.life?.driver.setCopyRate(bytesPerSecondMax),
      onTrouble: (error) => logger.debug({ error }, 'The limits of placement cannot be followed'),
      onUnreadable: (error) => logger.warn({ error }, UNREADABLE),
    });
    this.opening = new ShardOpening({
      config,
      client,
      logger,
      monotonicMs: () => clock.monotonicMs(),
      onLost: (error) => this.endLife(error),
      onRoundTrip: activity.countRoundTrip,
      isListed: async () => {
        await within(LISTED_WITHIN_MS, surroundings.membership.registered);
        return surroundings.membership.isRegistered;
      },
      onMigrated: () => {
        health.started();
        this.absence.over();
      },
    });
    this.absence = new DatabaseAbsence(config, surroundings.membership, logger);
    this.walReporter = new WalReporter(client, shardId, logger);
    this.moveReporter = new MoveReporter({ client, logger, monotonicMs: () => clock.monotonicMs() });
    this.registration = new RegistrationWatch(client, logger);
    this.verification = new VerificationFollower(client, logger);
    this.incidents = new IncidentReporter(client, shardId, logger);
    this.sweeper = new SetAsideSweeper(config, logger);
  }

  /** Settles when the shard is registered for the first time. */
  get ordinal(): Promise<ShardOrdinal> {
    return this.registered.promise;
  }

  /** Told the ordinal when there is a life, and null when there is none any more. */
  onServing(listener: (ordinal: ShardOrdinal | null) => void): void {
    this.tellServing = listener;
  }

  get router(): FrameRouter | null {
    return this.station?.router ?? null;
  }

  get requests(): { readonly inFlight: number; readonly total: number } {
    const desk = this.station?.desk;
    return { inFlight: desk?.inFlight ?? 0, total: desk?.requestsTotal ?? 0 };
  }

  get partitionsLed(): number {
    return this.station?.announcer.count ?? 0;
  }

  get partitionCount(): number {
    return this.map.partitionCount;
  }

  get unreadablePartitions(): number {
    return this.map.unreadable;
  }

  /** Others than those of the map. */
  get unreadableRecords(): number {
    const { limits, registration, verification } = this;
    return Number(limits.isUnreadable) + registration.unreadable + verification.unreadable;
  }

  status(): ReturnType<ShardDriver['status']> {
    return this.life?.driver.status() ?? [];
  }

  purging(): ReturnType<ShardDriver['purging']> | null {
    return this.life?.driver.purging() ?? null;
  }

  /** A map is not among them: the first shard of a cluster that is being made must not wait for the others. */
  notReadyReasons(): string[] {
    if (this.life === null) return [this.trouble];
    if (!this.isMapRead) return ['the partition map was not read yet'];
    const { driver, caughtUp } = this.life;
    const now = this.clock.monotonicMs();
    if (now < driver.promisesFrom)
      return ['the shard has not run for a lease yet, and counts in no election until then'];
    return caughtUp.reasons(driver.status(), now);
  }

  onApplicationBootstrap(): void {
    void this.map.start().then(() => {
      this.isMapRead = true;
    });
    void this.limits.start();
    this.verification.start();
    this.absence.begin();
    this.run().catch(this.surroundings.signs.fatal.report);
  }

  /** Hands over what it leads, and goes on with everything else until then; answers what it can, and closes. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.handOver();
    this.map.stop();
    this.registration.stop();
    this.verification.stop();
    this.incidents.stop();
    this.sweeper.stop();
    this.limits.stop();
    this.absence.stop();
    this.endAnnouncing();
    this.moveReporter.follow(null);
    await within(REPORT_WITHIN_MS, this.walReporter.stop());
    const { life, station } = this;
    if (life !== null) {
      station?.router.routeTo(null);
      life.driver.stop();
      station?.desk.abandonAll();
      await within(CLOSE_WITHIN_MS, life.opened.storage.close());
    }
    this.life = null;
    this.trouble = 'the shard has stopped';
    this.endLife(null);
  }

  private async handOver(): Promise<void> {
    if (this.life === null) return;
    const { surroundings, clock, partitionsLed } = this;
    const { signs, budget } = surroundings;
    const startedAt = clock.monotonicMs();
    await within(budget.handOverMs + RELEASE_WITHIN_MS, this.life.driver.leave(budget.handOverMs));
    const durationMs = Math.round(clock.monotonicMs() - startedAt);
    signs.logger.info({ partitionsLed, durationMs }, 'Handed over');
  }

  private async run(): Promise<void> {
    await this.surroundings.preparation.end();
    while (!this.isStopping) {
      const ended = Promise.withResolvers<unknown>();
      this.endLife = ended.resolve;
      const error = await this.liveUntil(ended.promise);
      if (this.isStopping) return;
      if (isFatal(error)) throw error;
      this.absence.begin();
      this.opening.ended(error);
      this.trouble = `the database is not open, or the shard is not registered: ${messageOf(error)}`;
      const waitMs = this.backOff.failed(this.clock.monotonicMs());
      this.surroundings.signs.logger.warn({ waitMs, error }, 'The shard begins anew');
      await pause(waitMs);
    }
  }

  /** Gives the reason of its end. */
  private async liveUntil(ended: Promise<unknown>): Promise<unknown> {
    let opened: OpenedShard;
    try {
      opened = await this.opening.open();
    } catch (error) {
      return error;
    }
    this.backOff.started(this.clock.monotonicMs());
    const station = this.stationOf(opened.ordinal);
    const { clock, dataPath, activity } = this;
    const { config, signs } = this.surroundings;
    const { logger } = signs;
    const { desk, announcer } = station;
    const { incidents } = this;
    const surroundings = { config, logger, clock, dataPath, activity, desk, announcer, incidents };
    const driver = startLife(opened, surroundings, (error) => this.endLife(error));
    this.life = { opened, driver, caughtUp: new CaughtUp() };
    driver.setCopyRate(this.limits.limits.bytesPerSecondMax);
    if (this.map.partitionCount > 0 && !this.isLost(this.map.entries)) driver.learnMap(this.map.entries);
    station.router.routeTo(driver);
    this.walReporter.follow(opened, (error) => this.endLife(error));
    this.moveReporter.follow({ driver, ...opened });
    this.verification.follow(driver);
    const { ordinal, incarnation, records } = opened;
    this.sweep();
    const shardId = config.RINGLEADER_MEMBER;
    this.registration.follow({ shardId, ordinal, incarnation }, (error) => this.endLife(error));
    this.tellServing(ordinal);
    logger.info({ ordinal, incarnation, records: records.length }, 'The shard has begun');
    const reason = await ended;
    if (!this.isStopping) await this.bury(this.life, station);
    return reason;
  }

  private async bury({ driver, opened }: Life, { router, desk, announcer }: Station): Promise<void> {
    this.activity.storageFailures += 1;
    this.life = null;
    this.tellServing(null);
    this.moveReporter.follow(null);
    this.verification.follow(null);
    this.registration.stop();
    router.routeTo(null);
    driver.stop();
    announcer.forgetAll();
    desk.abandonAll();
    await within(REPORT_WITHIN_MS, this.walReporter.stop());
    await within(CLOSE_WITHIN_MS, opened.storage.close());
  }

  private stationOf(ordinal: ShardOrdinal): Station {
    if (this.station !== null) return this.station;
    const { clock, dataPath } = this;
    const desk = new RequestDesk({
      ...{ ordinal, clock },
      send: (id, frame) => dataPath.sendToGateway(id, frame),
      backlogBytes: (id) => dataPath.gatewayBacklogBytes(id),
    });
    const announcer = new LeaderAnnouncer(ordinal, clock.stamp, (frame) => dataPath.announceLeaders(frame));
    const router = new FrameRouter(clock, desk, announcer, this.surroundings.pressure.isHigh);
    dataPath.listen(ordinal, router);
    this.endAnnouncing = togetherEvery(ANNOUNCE_ALL_INTERVAL_MS, () => announcer.announceAll());
    this.station = { ordinal, desk, announcer, router };
    this.registered.resolve(ordinal);
    return this.station;
  }

  private learn(changed: readonly PartitionEntry[]): void {
    if (this.isLost(changed)) return;
    this.life?.driver.learnMap(changed);
    this.moveReporter.learn(changed);
    this.sweep();
  }

  /** What it has is set aside, and not emptied as the map says: nobody else has it. */
  private isLost(entries: readonly PartitionEntry[]): boolean {
    const ordinal = this.life?.opened.ordinal;
    if (ordinal === undefined || !entries.some(({ recovery }) => recovery?.lost.includes(ordinal)))
      return false;
    this.endLife(comesBackAsNew(this.surroundings.config.RINGLEADER_MEMBER));
    return true;
  }

  /** What cannot be read may name who has set something aside. */
  private sweep(): void {
    if (this.life === null || this.map.unreadable > 0) return;
    const { ordinal, setAside } = this.life.opened;
    this.sweeper.look(ordinal, setAside, this.map.entries);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Waits for the work, but not for ever: what hangs on a dead server must not keep a process from ending. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  await Promise.race([Promise.allSettled([work]), limit.promise]);
  clearTimeout(timer);
}
