/** Snapshots that operators are fetching: each is read on as it is asked for, and is never in memory as a whole. */
import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OperationalError, RINGLEADER_VERSION, coordinatorName } from '@ringleader/contracts';
import { archiveOf } from '@ringleader/log-storage';
import { snapshotOf } from '@ringleader/mvcc';
import { ServiceClock } from '@ringleader/service-host';
import { CoordinatorConfig } from '../coordinator.config.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';

const SESSIONS_MAX = 4;
/** Who fetches asks much sooner. */
const SILENT_MS = 30_000;
const PART_BYTES = 524_288;

export interface SnapshotPart {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

interface Session {
  readonly parts: Iterator<SnapshotPart>;
  /** The number of the last part that was given, which may have to be given again; -1 before the first. */
  at: number;
  part: SnapshotPart | null;
  timer: NodeJS.Timeout;
}

@Injectable()
export class SnapshotSessions implements OnApplicationShutdown {
  readonly #sessions = new Map<string, Session>();

  constructor(
    private readonly store: ReplicatedStore,
    private readonly config: CoordinatorConfig,
    private readonly clock: ServiceClock,
  ) {}

  /** Of the store as it is at this call. */
  open(): { readonly snapshot: string; readonly revision: number } {
    if (this.#underWay >= SESSIONS_MAX) {
      throw new OperationalError('OVERLOADED', 'This member gives as many snapshots as it can', {
        snapshotsMax: SESSIONS_MAX,
      });
    }
    const { local } = this.store;
    const { revision, compactedRevision, presentHash: hash } = local;
    const { RINGLEADER_CLUSTER: cluster, RINGLEADER_COORDINATOR_ID: seat } = this.config;
    const takenAt = new Date(this.clock.wallMs()).toISOString();
    const by = { member: coordinatorName(seat), takenAt, version: RINGLEADER_VERSION };
    const header = { cluster, revision, compactedRevision, hash, ...by };
    const snapshot = randomUUID();
    const parts = partsOf(archiveOf(header, snapshotOf(local)));
    this.#sessions.set(snapshot, { parts, at: -1, part: null, timer: this.#expiry(snapshot) });
    return { snapshot, revision };
  }

  read(snapshot: string, part: number): SnapshotPart {
    const session = this.#sessions.get(snapshot);
    const isDue = session !== undefined && (part === session.at || part === session.at + 1);
    if (!isDue) throw new OperationalError('UNAVAILABLE', 'This snapshot is not given any more: begin anew');
    clearTimeout(session.timer);
    session.timer = this.#expiry(snapshot);
    if (part > session.at) {
      const next = session.parts.next();
      if (next.done === true) throw new OperationalError('UNAVAILABLE', 'The snapshot has no such part');
      session.at = part;
      session.part = next.value;
    }
    return session.part!;
  }

  /** Also of one that is not there any more. */
  close(snapshot: string): void {
    clearTimeout(this.#sessions.get(snapshot)?.timer);
    this.#sessions.delete(snapshot);
  }

  get #underWay(): number {
    return [...this.#sessions.values()].filter(({ part }) => part?.isLast !== true).length;
  }

  onApplicationShutdown(): void {
    for (const { timer } of this.#sessions.values()) clearTimeout(timer);
    this.#sessions.clear();
  }

  #expiry(snapshot: string): NodeJS.Timeout {
    return setTimeout(() => this.#sessions.delete(snapshot), SILENT_MS).unref();
  }
}

/** Neither so small that each is a message for itself, nor larger than one may be. */
export function* partsOf(pieces: Iterable<Uint8Array>): Generator<SnapshotPart, void, undefined> {
  let held: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (size > 0 && size + piece.byteLength > PART_BYTES) {
      yield { bytes: Buffer.concat(held), isLast: false };
      held = [];
      size = 0;
    }
    held.push(piece);
    size += piece.byteLength;
  }
  yield { bytes: Buffer.concat(held), isLast: true };
}
