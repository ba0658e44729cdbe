/**
 * Which of the operator's processes acts: the holder of a Lease. Whoever loses it ends at once; who is not sure to have it
 * writes nothing (`mayWrite`).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@ringleader/observability';
import { LEASES } from './kinds.js';
import type { KubeApi, KubeObject, Place } from './kube-api.js';
import { KubeError, isConflict } from './kube-error.js';
import { LEASE_MS, ObservedLease, type OwnLease, RENEW_WITHIN_MS, RETRY_MS } from './lease-clock.js';

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
    let renewedAtMs = performance.now();
    while (!signal.aborted) {
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (await this.#attempt().catch((error: unknown) => this.#note(error))) renewedAtMs = performance.now();
      const holder = this.#lease?.spec.holderIdentity ?? '';
      if (holder !== this.options.identity) throw new Error(`the lease is held by ${holder || 'nobody'} now`);
      if (performance.now() - renewedAtMs >= RENEW_WITHIN_MS)
        throw new Error('the lease could not be renewed in time');
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

  async #attempt(): Promise<boolean> {
    const { api, own, identity } = this.options;
    const sentAtMs = performance.now();
    const lease = await api.find<LeaseObject>(this.#place());
    this.#heardAtMs = performance.now();
    this.#lease = lease;
    const now = microTime(Date.now());
    if (lease === null) {
      const spec = this.#specOf({ acquireTime: now, renewTime: now, leaseTransitions: 0 });
      this.#lease = await api.create<LeaseObject>(LEASES, this.options.namespace, this.#objectOf(spec));
    } else {
      const { holderIdentity: holder = '', leaseDurationSeconds = LEASE_MS / 1_000 } = lease.spec;
      const isOwn = holder === identity;
      const { resourceVersion: version } = lease.metadata;
      const seen = { holder, version, durationMs: leaseDurationSeconds * 1_000 };
      if (!isOwn && !this.#observed.isFree(seen, sentAtMs)) return false;
      // One that was lost is not taken up again by the same process: what it believed may have changed meanwhile.
      if (!isOwn && this.#isLeader) return false;
      const { acquireTime, leaseTransitions = 0 } = lease.spec;
      const spec = isOwn
        ? this.#specOf({ acquireTime: acquireTime ?? now, renewTime: now, leaseTransitions })
        : this.#specOf({ acquireTime: now, renewTime: now, leaseTransitions: leaseTransitions + 1 });
      this.#lease = (await api.replace(LEASES, { ...lease, spec })) as LeaseObject;
    }
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
