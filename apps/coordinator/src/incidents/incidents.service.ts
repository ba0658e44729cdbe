/** What should never happen, and did, in the store itself: the newest are kept. */
import { Injectable } from '@nestjs/common';
import { INCIDENTS_PREFIX, OperationalError, incidentSchema, prefixRange } from '@ringleader/contracts';
import type { Incident, RequestOf, coordinatorContracts } from '@ringleader/contracts';
import type { Operation } from '@ringleader/mvcc';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { isAbsent, putMetadata, readMetadata } from '../store/metadata.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';

export const INCIDENTS_KEPT = 100;
/** A report that was not confirmed is sent again: within this time the same one is the same incident. */
const REPEATED_WITHIN_MS = 600_000;
const TRIES = 5;

export type IncidentReport = RequestOf<typeof coordinatorContracts.reportIncident>;

@Injectable()
export class IncidentsService {
  constructor(
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {}

  /** As this member knows them, the oldest first. */
  list(): Incident[] {
    const found = readMetadata(this.store.local, prefixRange(INCIDENTS_PREFIX), incidentSchema);
    return found.map(({ value }) => value);
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
      if (await this.write(incident, kept.slice(0, Math.max(0, kept.length + 1 - INCIDENTS_KEPT)))) {
        this.logger.warn({ incident }, 'An incident was reported');
        return incident.id;
      }
    }
    throw new OperationalError('UNAVAILABLE', 'Too many incidents are reported at once');
  }

  /** False when another incident has the id. */
  private async write(incident: Incident, oldest: readonly Incident[]): Promise<boolean> {
    const key = keyOf(incident.id);
    const forgotten = oldest.map(({ id }): Operation => {
      return { kind: 'delete', key: keyOf(id), rangeEnd: null, wantsPrevious: false };
    });
    const result = await this.store.propose({
      kind: 'txn',
      compare: [isAbsent(key)],
      success: [putMetadata(key, incident), ...forgotten],
      failure: [],
    });
    return result.kind === 'txn' && result.succeeded;
  }
}

const keyOf = (id: string): string => `${INCIDENTS_PREFIX}${id}`;

/** Ids are in the order of the incidents, whatever leaders' clocks say. */
function idAfter(last: Incident | undefined, now: number): string {
  const next = last === undefined ? now : Math.max(now, Number(last.id) + 1);
  return String(next).padStart(15, '0');
}

function isRepeated({ id: _, at, ...earlier }: Incident, report: IncidentReport, now: number): boolean {
  if (Math.abs(now - Date.parse(at)) > REPEATED_WITHIN_MS) return false;
  return JSON.stringify(incidentText(earlier)) === JSON.stringify(incidentText(report));
}

const incidentText = ({ kind, shard, ordinal, partition, keys, detail, mended }: IncidentReport) => {
  return [kind, shard, ordinal, partition, keys, detail, mended];
};
