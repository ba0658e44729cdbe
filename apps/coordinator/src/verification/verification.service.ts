/**
 * The comparison of all replicas on demand (docs/PROTOCOL.md 4.13): who asks for it writes one key, shards see it there and
 * say again and again what they have done. That is kept in memory: another leader hears it all within a second.
 */
import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { OperationalError, VERIFICATION_KEY, verificationSchema } from '@ringleader/contracts';
import type { Verification, VerifiedPartition } from '@ringleader/contracts';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { IncidentsService } from '../incidents/incidents.service.js';
import { readCluster } from '../placement/first-map.js';
import { isUnchanged, putMetadata, readReadable } from '../store/metadata.js';
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
    const verification = this.#read();
    return verification?.endedAt === null ? this.#summed(verification) : verification;
  }

  /** The one that is under way, or a new one. */
  async start(): Promise<Verification> {
    const underWay = this.#read();
    if (underWay?.endedAt === null) return this.#summed(underWay);
    const cluster = readCluster(this.store.local);
    const nothing = { partitionsDone: 0, incomplete: 0, rows: 0, differed: 0, mended: 0 };
    const started: Verification = {
      id: randomUUID(),
      startedAt: this.#now(),
      endedAt: null,
      partitionsTotal: cluster?.value.partitionCount ?? 0,
      ...nothing,
    };
    if (await this.#write(started)) return started;
    const present = this.present();
    if (present !== null) return present;
    throw new OperationalError('UNAVAILABLE', 'Another verification was begun or ended just now');
  }

  async hear(id: string, partitions: readonly VerifiedPartition[]): Promise<void> {
    const verification = this.#read();
    if (verification?.id !== id || verification.endedAt !== null) return;
    if (this.#heard?.id !== id) this.#heard = { id, partitions: new Map() };
    for (const told of partitions) this.#heard.partitions.set(told.partition, told);
    const summed = this.#summed(verification);
    if (summed.partitionsDone < summed.partitionsTotal) return;
    const ended = { ...summed, endedAt: this.#now() };
    const same = [...this.#heard.partitions.values()]
      .filter(({ complete, differed, mended }) => complete && differed === mended)
      .map(({ partition }) => partition);
    if (!(await this.#write(ended))) return;
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

  /** Null also where it cannot be read: the next one takes its place. */
  #read(): Verification | null {
    const range = { key: VERIFICATION_KEY, rangeEnd: null };
    return readReadable(this.store.local, range, verificationSchema)[0]?.value ?? null;
  }

  /** In the place of what is there now. */
  async #write(next: Verification): Promise<boolean> {
    const compare = [isUnchanged(this.store.local, VERIFICATION_KEY)];
    const success = [putMetadata(VERIFICATION_KEY, next)];
    const result = await this.store.propose({ kind: 'txn', compare, success, failure: [] });
    return result.kind === 'txn' && result.succeeded;
  }

  #now(): string {
    return new Date(this.clock.wallMs()).toISOString();
  }
}
