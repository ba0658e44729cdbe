/** What should never happen, and did, in the store itself: the newest are kept. */
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import {
  INCIDENTS_PREFIX,
  OperationalError,
  PARTITIONS_PREFIX,
  incidentSchema,
  memberKey,
  memberSchema,
  partitionEntrySchema,
  prefixRange,
} from '@ringleader/contracts';
import type { Incident, RequestOf, coordinatorContracts } from '@ringleader/contracts';
import type { Operation, TxnCommand } from '@ringleader/mvcc';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { countMetadata, isAbsent, type MetadataItem, putMetadata, readReadable } from '../store/metadata.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';

export const INCIDENTS_KEPT = 100;
/**
 * A report that was not confirmed is sent again: within this time the same one is the same incident. While that is not mended it
 * is so whenever it is said again: as by a shard that stays down, at each of its starts.
 */
const REPEATED_WITHIN_MS = 600_000;
const TRIES = 5;
const LOOK_EVERY_MS = 1_000;

export type IncidentReport = RequestOf<typeof coordinatorContracts.reportIncident>;

@Injectable()
export class IncidentsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  beforeApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** As this member knows them, the oldest first. */
  list(): Incident[] {
    return this.#read().map(({ value }) => value);
  }

  /**
   * The loss of a whole database is made good once the map names its ordinal nowhere: others have all that it held. Or it was
   * none: the shard stayed down, and serves from the registered database again.
   */
  async look(): Promise<void> {
    if (this.#isLooking || !this.store.status().leading) return;
    this.#isLooking = true;
    try {
      const lost = this.#read().filter(({ value }) => !value.mended && value.partition === null);
      if (lost.length > 0) await this.#mend(lost);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.debug({ error }, 'That an incident is mended was not written down yet');
    } finally {
      this.#isLooking = false;
    }
  }

  async #mend(lost: readonly MetadataItem<Incident>[]): Promise<void> {
    const all = prefixRange(PARTITIONS_PREFIX);
    const map = readReadable(this.store.local, all, partitionEntrySchema);
    if (map.length === 0) return;
    const named = new Set(
      map.flatMap(({ value: { replicas, nextReplicas, learners } }) => [
        ...replicas,
        ...(nextReplicas ?? []),
        ...learners,
      ]),
    );
    // An entry that cannot be read may name anybody.
    const isWhole = map.length === countMetadata(this.store.local, all);
    const isMended = (item: MetadataItem<Incident>): boolean =>
      (isWhole && !named.has(item.value.ordinal)) || this.#wasNone(item);
    const mended = lost.filter(isMended);
    for (const { value, modRevision } of mended) {
      const key = keyOf(value.id);
      const unchanged = { key, rangeEnd: null, target: 'modRevision', result: 'equal' } as const;
      await this.store.propose({
        kind: 'txn',
        compare: [{ ...unchanged, operand: modRevision }],
        success: [putMetadata(key, { ...value, mended: true })],
        failure: [],
      });
      this.logger.info({ incident: value.id, ordinal: value.ordinal }, 'An incident is mended');
    }
  }

  /** What a shard registers when it serves, it registers after its database was admitted. */
  #wasNone({ value: { kind, shard, ordinal }, modRevision }: MetadataItem<Incident>): boolean {
    if (kind !== 'DATABASE_FORGOT') return false;
    const key = memberKey('shard', shard);
    const [member] = readReadable(this.store.local, { key, rangeEnd: null }, memberSchema);
    if (member === undefined || member.modRevision < modRevision) return false;
    return member.value.ordinal === ordinal && member.value.state === 'serving';
  }

  #read(): MetadataItem<Incident>[] {
    return readReadable(this.store.local, prefixRange(INCIDENTS_PREFIX), incidentSchema);
  }

  /** Gives its id. */
  async add(report: IncidentReport): Promise<string> {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const now = this.clock.wallMs();
      const kept = this.list();
      const same = kept.find((incident) => isRepeated(incident, report, now));
      if (same !== undefined) return same.id;
      const incident: Incident = {
        id: idAfter(kept.at(-1), now),
        at: new Date(now).toISOString(),
        ...report,
      };
      const oldest = oldestOf(kept);
      const mended = kept.filter((earlier) => !oldest.includes(earlier) && isMendedBy(earlier, report));
      if (await this.write(incident, { oldest, mended })) {
        this.logger.warn({ incident }, 'An incident was reported');
        return incident.id;
      }
    }
    throw new OperationalError('UNAVAILABLE', 'Too many incidents are reported at once');
  }

  /** All replicas of these partitions were compared, and are the same now. */
  async closeDiffering(partitions: ReadonlySet<number>): Promise<void> {
    const open = this.list().filter(
      ({ kind, partition, mended }) =>
        kind === 'REPLICA_DIFFERED' && !mended && partition !== null && partitions.has(partition),
    );
    if (open.length === 0) return;
    const success = open.map((incident) => putMetadata(keyOf(incident.id), { ...incident, mended: true }));
    await this.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  }

  /** To be part of another transaction: what was done is written down, or it is not done. */
  recorded(report: IncidentReport): Recorded {
    const now = this.clock.wallMs();
    const kept = this.list();
    const incident = { id: idAfter(kept.at(-1), now), at: new Date(now).toISOString(), ...report };
    return recordOf(incident, { oldest: oldestOf(kept), mended: [] });
  }

  /** False when another incident has the id. */
  private async write(incident: Incident, others: Others): Promise<boolean> {
    const result = await this.store.propose({ kind: 'txn', ...recordOf(incident, others), failure: [] });
    return result.kind === 'txn' && result.succeeded;
  }
}

/** Of a transaction. */
export type Recorded = Pick<TxnCommand, 'compare' | 'success'>;

interface Others {
  readonly oldest: readonly Incident[];
  readonly mended: readonly Incident[];
}

/** Those that are forgotten for a new one: what is not mended last. */
function oldestOf(kept: readonly Incident[]): readonly Incident[] {
  const inOrder = [...kept.filter(({ mended }) => mended), ...kept.filter(({ mended }) => !mended)];
  return inOrder.slice(0, Math.max(0, kept.length + 1 - INCIDENTS_KEPT));
}

function recordOf(incident: Incident, { oldest, mended }: Others): Recorded {
  const key = keyOf(incident.id);
  const forgotten = oldest.map(({ id }): Operation => {
    return { kind: 'delete', key: keyOf(id), rangeEnd: null, wantsPrevious: false };
  });
  return {
    compare: [isAbsent(key)],
    success: [
      putMetadata(key, incident),
      ...forgotten,
      ...mended.map((earlier) => putMetadata(keyOf(earlier.id), { ...earlier, mended: true })),
    ],
  };
}

/** What could not be done then was done now. */
function isMendedBy(earlier: Incident, { kind, shard, partition, mended }: IncidentReport): boolean {
  return (
    mended &&
    !earlier.mended &&
    earlier.kind === kind &&
    earlier.shard === shard &&
    earlier.partition === partition
  );
}

const keyOf = (id: string): string => `${INCIDENTS_PREFIX}${id}`;

/** Ids are in the order of the incidents, whatever leaders' clocks say. */
function idAfter(last: Incident | undefined, now: number): string {
  const next = last === undefined ? now : Math.max(now, Number(last.id) + 1);
  return String(next).padStart(15, '0');
}

function isRepeated({ id: _, at, ...earlier }: Incident, report: IncidentReport, now: number): boolean {
  if (earlier.mended && Math.abs(now - Date.parse(at)) > REPEATED_WITHIN_MS) return false;
  return JSON.stringify(incidentText(earlier)) === JSON.stringify(incidentText(report));
}

const incidentText = ({
  kind,
  shard,
  ordinal,
  partition,
  keys,
  detail,
  mended,
}: Omit<Incident, 'id' | 'at'>) => {
  return [kind, shard, ordinal, partition, keys, detail, mended];
};
