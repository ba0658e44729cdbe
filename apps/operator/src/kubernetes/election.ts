/**
 * Which of the operator's processes acts: the holder of a Lease. Whoever loses it ends at once; who is not sure to have it
 * writes nothing (`mayWrite`).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@ringleader/observability';
import { pauseUnlessAborted } from '@ringleader/timers';
import { LEASES } from './kinds.js';
import type { KubeApi, KubeObject, Place } from './kube-api.js';
import { KubeError, isConflict } from './kube-error.js';
import { LEASE_MS, ObservedLease, type OwnLease, RETRY_MS } from './lease-clock.js';

/** Not JSON's milliseconds: the API server wants six digits (`V1MicroTime`). */
export const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

interface LeaseObject extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface ElectionOptions {
  readonly api: Pick<KubeApi, 'find' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly own: OwnLease;
  readonly logger: Logger;
}

export class Election {
  readonly #observed = new ObservedLease();
  #lease: LeaseObject | null = null;
  #isLeader = false;
  #heardAtMs = -Infinity;

  constructor(private readonly options: ElectionOptions) {}

  get isLeader(): boolean {
    return this.#isLeader && this.options.own.isValid(performance.now());
  }

  /** Whether the API server has answered lately, be it as a leader or as one that waits. */
  isHearing(): boolean {
    return performance.now() - this.#heardAtMs < LEASE_MS;
  }

  /** Settles when this process is the leader. */
  async acquire(signal: AbortSignal): Promise<void> {
    const { logger, identity } = this.options;
    logger.info({ identity }, 'Waiting for the lease');
    while (!signal.aborted) {
      const isAcquired = await this.#attempt().catch((error: unknown) => this.#note(error));
      if (isAcquired) {
        this.#isLeader = true;
        logger.info({ identity }, 'Leading');
        return;
      }
      await pause(RETRY_MS, undefined, { signal });
    }
  }

  /** Renews until it is aborted. Throws when the lease is lost, or could not be renewed in time. */
  async keep(signal: AbortSignal): Promise<void> {
    const { identity, own } = this.options;
    while (await pauseUnlessAborted(RETRY_MS, signal)) {
      await this.#attempt().catch((error: unknown) => this.#note(error));
      const holder = this.#lease?.spec.holderIdentity ?? '';
      if (holder !== identity) throw new Error(`the lease is held by ${holder || 'nobody'} now`);
      if (!own.isValid(performance.now())) throw new Error('the lease could not be renewed in time');
    }
  }

  /** For the next one not to wait. Nothing may be written any more. */
  async release(): Promise<void> {
    const { api, own, identity, logger } = this.options;
    own.given();
    if (!this.#isLeader || this.#lease === null) return;
    this.#isLeader = false;
    const { spec } = this.#lease;
    if (spec.holderIdentity !== identity) return;
    const released = { ...this.#lease, spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 } };
    try {
      await api.replace(LEASES, released);
      logger.info({}, 'The lease is released');
    } catch (error) {
      logger.warn({ error }, 'The lease was not released: it runs out');
    }
  }

  /** While it leads by what was answered to the last renewal, without a look: somebody else's write would refuse this one. */
  async #attempt(): Promise<boolean> {
    const lease = this.#lease;
    if (!this.#isLeader || lease?.spec.holderIdentity !== this.options.identity) return this.#look();
    try {
      return await this.#renew(lease);
    } catch (error) {
      if (isConflict(error)) return this.#look();
      throw error;
    }
  }

  async #look(): Promise<boolean> {
    const { identity } = this.options;
    const lease = await this.options.api.find<LeaseObject>(this.#place());
    this.#heardAtMs = performance.now();
    this.#lease = lease;
    if (lease === null) return this.#isLeader ? false : this.#write(null, { leaseTransitions: 0 });
    const { holderIdentity: holder = '', leaseDurationSeconds = LEASE_MS / 1_000 } = lease.spec;
    if (holder === identity) return this.#renew(lease);
    const { resourceVersion: version } = lease.metadata;
    const seen = { holder, version, durationMs: leaseDurationSeconds * 1_000 };
    const isFree = this.#observed.isFree(seen, performance.now());
    // One that was lost is not taken up again by the same process: what it believed may have changed meanwhile.
    if (!isFree || this.#isLeader) return false;
    return this.#write(lease, { leaseTransitions: (lease.spec.leaseTransitions ?? 0) + 1 });
  }

  #renew(lease: LeaseObject): Promise<boolean> {
    const { acquireTime, leaseTransitions = 0 } = lease.spec;
    return this.#write(lease, { leaseTransitions, ...(acquireTime !== undefined && { acquireTime }) });
  }

  /** It counts from when the write was sent: nobody can have seen it before. */
  async #write(
    lease: LeaseObject | null,
    times: Pick<LeaseObject['spec'], 'acquireTime' | 'leaseTransitions'>,
  ): Promise<boolean> {
    const { api, own, namespace } = this.options;
    const now = microTime(Date.now());
    const spec = this.#specOf({ acquireTime: now, ...times, renewTime: now });
    const sentAtMs = performance.now();
    this.#lease =
      lease === null
        ? await api.create<LeaseObject>(LEASES, namespace, this.#objectOf(spec))
        : ((await api.replace(LEASES, { ...lease, spec })) as LeaseObject);
    this.#heardAtMs = performance.now();
    own.renewed(sentAtMs);
    return true;
  }

  /** Trouble of the API server is waited out, as long as there is time. */
  #note(error: unknown): false {
    if (!(error instanceof KubeError)) throw error;
    if (!isConflict(error)) this.options.logger.warn({ error }, 'The lease was not renewed; trying again');
    return false;
  }

  #specOf(times: Omit<LeaseObject['spec'], 'holderIdentity'>): LeaseObject['spec'] {
    return { holderIdentity: this.options.identity, leaseDurationSeconds: LEASE_MS / 1_000, ...times };
  }

  #objectOf(spec: LeaseObject['spec']): object {
    const { namespace, name } = this.options;
    return { apiVersion: LEASES.apiVersion, kind: LEASES.kind, metadata: { namespace, name }, spec };
  }

  #place(): Place {
    const { namespace, name } = this.options;
    return { kind: LEASES, namespace, name };
  }
}
