/**
 * The comparison of all replicas on demand (docs/PROTOCOL.md 4.13): who asks for it writes one key, shards see it there and
 * say again and again what they have done. That is kept in memory: another leader hears it all within a second.
 */
import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError, VERIFICATION_KEY, verificationSchema } from '@ringleader/contracts';
import type { Verification, VerifiedPartition } from '@ringleader/contracts';
import type { Compare } from '@ringleader/mvcc';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { IncidentsService } from '../incidents/incidents.service.js';
import { readCluster } from '../placement/first-map.js';
import { isAbsent, type MetadataItem, putMetadata, readMetadata } from '../store/metadata.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';

@Injectable()
export class VerificationService implements OnApplicationBootstrap {
  /** Of the verification `id`, by partition. */
  #heard: { readonly id: string; readonly partitions: Map<number, VerifiedPartition> } | null = null;

  constructor(
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
    private readonly incidents: IncidentsService,
  ) {}

  onApplicationBootstrap(): void {
    this.store.onLeadership(() => {
      this.#heard = null;
    });
  }

  /** As far as this member has heard. */
  present(): Verification | null {
    const item = this.#read();
    if (item === null || item.value.endedAt !== null) return item?.value ?? null;
    return this.#summed(item.value);
  }

  /** The one that is under way, or a new one. */
  async start(): Promise<Verification> {
    const item = this.#read();
    if (item !== null && item.value.endedAt === null) return this.#summed(item.value);
    const cluster = readCluster(this.store.local);
    const nothing = { partitionsDone: 0, incomplete: 0, rows: 0, differed: 0, mended: 0 };
    const started: Verification = {
      id: randomUUID(),
      startedAt: this.#now(),
      endedAt: null,
      partitionsTotal: cluster?.value.partitionCount ?? 0,
      ...nothing,
    };
    if (await this.#write(item, started)) return started;
    const present = this.present();
    if (present !== null) return present;
    throw new OperationalError('UNAVAILABLE', 'Another verification was begun or ended just now');
  }

  async hear(id: string, partitions: readonly VerifiedPartition[]): Promise<void> {
    const item = this.#read();
    if (item === null || item.value.id !== id || item.value.endedAt !== null) return;
    if (this.#heard?.id !== id) this.#heard = { id, partitions: new Map() };
    for (const told of partitions) this.#heard.partitions.set(told.partition, told);
    const summed = this.#summed(item.value);
    if (summed.partitionsDone < summed.partitionsTotal) return;
    const ended = { ...summed, endedAt: this.#now() };
    const same = [...this.#heard.partitions.values()]
      .filter(({ complete, differed, mended }) => complete && differed === mended)
      .map(({ partition }) => partition);
    if (!(await this.#write(item, ended))) return;
    this.logger.info({ verification: ended }, 'A verification has ended');
    await this.incidents.closeDiffering(new Set(same));
  }

  #summed(verification: Verification): Verification {
    const { id, partitionsTotal } = verification;
    const told = this.#heard?.id === id ? [...this.#heard.partitions.values()] : [];
    const done = told.filter(({ partition }) => partition < partitionsTotal);
    const sum = (of: (told: VerifiedPartition) => number): number =>
      done.reduce((total, each) => total + of(each), 0);
    return {
      ...verification,
      partitionsDone: done.length,
      incomplete: sum(({ complete }) => (complete ? 0 : 1)),
      rows: sum(({ rows }) => rows),
      differed: sum(({ differed }) => differed),
      mended: sum(({ mended }) => mended),
    };
  }

  #read(): MetadataItem<Verification> | null {
    const range = { key: VERIFICATION_KEY, rangeEnd: null };
    return readMetadata(this.store.local, range, verificationSchema)[0] ?? null;
  }

  async #write(present: MetadataItem<Verification> | null, next: Verification): Promise<boolean> {
    const unchanged: Compare =
      present === null
        ? isAbsent(VERIFICATION_KEY)
        : {
            key: VERIFICATION_KEY,
            rangeEnd: null,
            target: 'modRevision',
            result: 'equal',
            operand: present.modRevision,
          };
    const success = [putMetadata(VERIFICATION_KEY, next)];
    const result = await this.store.propose({ kind: 'txn', compare: [unchanged], success, failure: [] });
    return result.kind === 'txn' && result.succeeded;
  }

  #now(): string {
    return new Date(this.clock.wallMs()).toISOString();
  }
}
