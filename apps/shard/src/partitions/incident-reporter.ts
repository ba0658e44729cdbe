/** Rows that a replica had otherwise than most (docs/PROTOCOL.md 4.13), as incidents: some keys of a partition together. */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError, type coordinatorContracts, type RequestOf } from '@ringleader/contracts';
import type { Coordinator } from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import type { PaxosEvent } from '@ringleader/paxos';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';

type Report = RequestOf<typeof coordinatorContracts.reportIncident>;
type Differing = Extract<PaxosEvent, { kind: 'rowMended' | 'rowDiffers' }>;

export interface IncidentTimings {
  /** What is found within this time is told together. */
  readonly gatherMs: number;
  readonly retryMs: number;
}

const TIMINGS: IncidentTimings = { gatherMs: 1_000, retryMs: 1_000 };
const KEYS_TOLD_MAX = 10;
const KEY_LENGTH_MAX = 200;

interface Gathered {
  readonly partition: PartitionIndex;
  readonly isMended: boolean;
  readonly isTie: boolean;
  readonly shards: Set<ShardOrdinal>;
  readonly keys: string[];
  rows: number;
}

export class IncidentReporter {
  private gathered = new Map<string, Gathered>();
  private isRunning = false;
  private isStopped = false;

  constructor(
    private readonly client: Coordinator,
    private readonly shardId: string,
    private readonly logger: Logger,
    private readonly timings: IncidentTimings = TIMINGS,
  ) {}

  stop(): void {
    this.isStopped = true;
  }

  /** Of a core of this ordinal. */
  note(ordinal: ShardOrdinal, event: PaxosEvent): void {
    if (event.kind !== 'rowMended' && event.kind !== 'rowDiffers') return;
    this.logger.error({ event }, 'A row differs from that of the other replicas');
    this.gather(event);
    if (this.isRunning) return;
    this.isRunning = true;
    void this.run(ordinal);
  }

  private gather(event: Differing): void {
    const { kind, partition, key } = event;
    const isTie = kind === 'rowDiffers' && event.isTie;
    const name = `${partition} ${kind} ${isTie}`;
    let gathered = this.gathered.get(name);
    if (gathered === undefined) {
      const isMended = kind === 'rowMended';
      gathered = { partition, isMended, isTie, shards: new Set(), keys: [], rows: 0 };
      this.gathered.set(name, gathered);
    }
    gathered.rows += 1;
    if (kind === 'rowDiffers') for (const shard of event.shards) gathered.shards.add(shard);
    if (gathered.keys.length < KEYS_TOLD_MAX) gathered.keys.push(key.slice(0, KEY_LENGTH_MAX));
  }

  private async run(ordinal: ShardOrdinal): Promise<void> {
    while (this.gathered.size > 0 && !this.isStopped) {
      await pause(this.timings.gatherMs, undefined, { ref: false });
      const found = [...this.gathered.values()];
      this.gathered = new Map();
      for (const each of found) await this.tell(this.reportOf(ordinal, each));
    }
    this.isRunning = false;
  }

  /** Until it is written down: the coordinators know a report that is repeated. */
  private async tell(report: Report): Promise<void> {
    while (!this.isStopped) {
      try {
        await this.client.ask('reportIncident', report);
        return;
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        this.logger.warn({ error, report }, 'An incident was not reported yet');
        await pause(this.timings.retryMs, undefined, { ref: false });
      }
    }
  }

  private reportOf(
    ordinal: ShardOrdinal,
    { partition, isMended, isTie, shards, keys, rows }: Gathered,
  ): Report {
    const where = [...shards].sort((a, b) => a - b).join(', ');
    const detail = isMended
      ? `${rows} rows of this replica differed from those of most replicas, and were put right`
      : isTie
        ? `${rows} rows differ, and no majority of the replicas agrees (ordinals ${where}): nothing was changed`
        : `${rows} rows of ordinals ${where} differ from those of most replicas, and could not be put right now`;
    return {
      ...{ kind: 'REPLICA_DIFFERED', shard: this.shardId, ordinal, partition, keys, detail },
      mended: isMended,
    };
  }
}
