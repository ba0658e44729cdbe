/**
 * Says to the coordinators' leader how exchanges of replicas go on that this shard leads, and while there are any how
 * quiet it is here (docs/PROTOCOL.md 6.1, 6.3, 6.7):
 * whatever changed at once, and all of it now and then, since whoever leads the coordinators may be new.
 */
import { OperationalError, type PartitionEntry } from '@ringleader/contracts';
import type { CoordinatorPlacement } from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import { isMoving, type MoveReport } from '@ringleader/paxos';
import type { Incarnation, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { ShardStorage } from '../storage/shard-storage.js';
import type { ShardDriver } from './shard-driver.js';

const LOOK_INTERVAL_MS = 25;
const REPORT_INTERVAL_MS = 250;
/** While it leads nothing that moves, and others do: how its users are. */
const IDLE_INTERVAL_MS = 5_000;
const AGAIN_AFTER_FAILURE_MS = 100;
const SIZE_INTERVAL_MS = 10_000;

/** The present life of the shard. */
export interface ReportingLife {
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
  readonly driver: Pick<ShardDriver, 'moves' | 'quietMs' | 'status'>;
  readonly storage: Pick<ShardStorage, 'rowsBytes'>;
}

export interface MoveReporterOptions {
  readonly client: CoordinatorPlacement;
  readonly logger: Pick<Logger, 'debug'>;
  readonly monotonicMs: () => MonotonicMs;
}

export class MoveReporter {
  private readonly moving = new Set<PartitionIndex>();
  private life: ReportingLife | null = null;
  private timer: NodeJS.Timeout | null = null;
  private saidAt = Number.NEGATIVE_INFINITY;
  private said = '';
  private isAsking = false;
  private restsUntil = Number.NEGATIVE_INFINITY;
  private sizedAt = Number.NEGATIVE_INFINITY;
  private bytesPerPartition = 0;

  constructor(private readonly options: MoveReporterOptions) {}

  /** Entries of the map that are new or have changed. */
  learn(changed: readonly PartitionEntry[]): void {
    for (const entry of changed) {
      if (isMoving(entry)) this.moving.add(entry.partition);
      else this.moving.delete(entry.partition);
    }
    this.arm();
  }

  /** Null while there is no life. */
  follow(life: ReportingLife | null): void {
    this.life = life;
    this.saidAt = Number.NEGATIVE_INFINITY;
    this.arm();
  }

  private arm(): void {
    const isWanted = this.life !== null && this.moving.size > 0;
    if (isWanted === (this.timer !== null)) return;
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = isWanted ? setInterval(() => this.look(), LOOK_INTERVAL_MS) : null;
  }

  private look(): void {
    const { life } = this;
    const now = this.options.monotonicMs();
    if (life === null || this.isAsking || now < this.restsUntil) return;
    const reports = life.driver.moves(() => this.bytesPerPartition);
    const steps = stepsOf(reports);
    const intervalMs = reports.length > 0 ? REPORT_INTERVAL_MS : IDLE_INTERVAL_MS;
    if (steps === this.said && now < this.saidAt + intervalMs) return;
    this.said = steps;
    this.saidAt = now;
    this.isAsking = true;
    void this.say(life, reports).finally(() => {
      this.isAsking = false;
    });
  }

  private async say(life: ReportingLife, reports: readonly MoveReport[]): Promise<void> {
    const { ordinal, incarnation, driver } = life;
    const { quietMs } = driver;
    try {
      await this.measure(life);
      await this.options.client.ask('reportMoves', {
        ...{ ordinal, incarnation, quietMs },
        reports: reports.map(toMessage),
      });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      // It is said again, as it will be then.
      this.saidAt = Number.NEGATIVE_INFINITY;
      this.restsUntil = this.options.monotonicMs() + AGAIN_AFTER_FAILURE_MS;
      this.options.logger.debug({ error }, 'The state of moves was not reported');
    }
  }

  private async measure(life: ReportingLife): Promise<void> {
    const now = this.options.monotonicMs();
    if (now < this.sizedAt + SIZE_INTERVAL_MS) return;
    this.sizedAt = now;
    const replicas = life.driver.status().filter(({ role }) => role !== 'removed').length;
    this.bytesPerPartition = Math.ceil((await life.storage.rowsBytes()) / Math.max(1, replicas));
  }
}

/** What decides on the next step; bytes do not. */
function stepsOf(reports: readonly MoveReport[]): string {
  return reports
    .map(({ partition, epoch, ballot, ready, learners }) => {
      const arrived = learners.filter(({ caughtUp }) => caughtUp).map(({ ordinal }) => ordinal);
      return [partition, epoch, ballot, ready, ...arrived].join(' ');
    })
    .join(',');
}

function toMessage({ learners, ...report }: MoveReport): Omit<MoveReport, 'learners'> & {
  learners: MoveReport['learners'][number][];
} {
  return { ...report, learners: [...learners] };
}
