import { Controller, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { OperationalError, coordinatorContracts } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { Handles } from '@ringleader/nats';
import { compareKeys, invariant } from '@ringleader/primitives';
import type { MonotonicMs } from '@ringleader/primitives';
import { ANSWER_BYTES_MAX, LeaseDeadlines, utf8Length } from '@ringleader/mvcc';
import type { CommandResult, LeaseId } from '@ringleader/mvcc';
import { ServiceClock, ServiceLogger } from '@ringleader/service-host';
import type { LeadershipChange } from '../raft/raft-node.js';
import { ReplicatedStore } from '../store/replicated-store.service.js';
import { ANSWER_ITEMS_MAX, leaseNotFound, toOperationalError } from '../store/wire.js';
import { refuseForeignWrite } from '../store/write-access.js';

const { leaseGrant, leaseKeepAlive, leaseRevoke, leaseTimeToLive, leases } = coordinatorContracts;

const CHECK_INTERVAL_MS = 100;
/** Of leases that run out together, and their keys: all members end them in one go, and hear no heartbeat meanwhile. */
const ENDED_AT_ONCE = 10_000;

/** Grants, renews and ends leases. Only the leader renews and notices that one has run out. */
@Controller()
export class LeaseController implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Null while this member does not lead. */
  #deadlines: LeaseDeadlines | null = null;
  #lastCheckAt: MonotonicMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly store: ReplicatedStore,
    private readonly clock: ServiceClock,
    private readonly logger: ServiceLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.store.onChange((result) => this.#follow(result));
    this.store.onLeadership((change) => this.#onLeadership(change));
  }

  onApplicationShutdown(): void {
    this.#leadsNoMore();
  }

  @Handles(leaseGrant)
  async grant(request: RequestOf<typeof leaseGrant>): Promise<ResponseOf<typeof leaseGrant>> {
    const result = await this.store.propose({
      kind: 'leaseGrant',
      ttlMs: request.ttlMs,
      wanted: request.leaseId ?? 0,
    });
    if (result.kind === 'rejected') throw toOperationalError(result.rejection);
    invariant(result.kind === 'leaseGranted', 'a grant has a grant’s result');
    return { leaseId: result.lease, ttlMs: request.ttlMs };
  }

  /** Deletes the keys that are under the lease. */
  @Handles(leaseRevoke)
  async revoke(
    request: RequestOf<typeof leaseRevoke>,
    speaker: Speaker,
  ): Promise<ResponseOf<typeof leaseRevoke>> {
    // All that is under the lease goes with it. What was attached before this request is applied here then.
    await this.store.readBarrier();
    for (const key of this.store.local.leaseKeys(request.leaseId)) refuseForeignWrite(speaker, { key });
    const result = await this.store.propose({ kind: 'leaseRevoke', lease: request.leaseId });
    if (result.kind === 'rejected') throw toOperationalError(result.rejection);
    return { revision: result.revision };
  }

  @Handles(leaseKeepAlive)
  async keepAlive(request: RequestOf<typeof leaseKeepAlive>): Promise<ResponseOf<typeof leaseKeepAlive>> {
    const receivedAt = this.clock.monotonicMs();
    const deadlines = await this.#confirmedDeadlines();
    const ttlMs = deadlines.renew(request.leaseId, receivedAt);
    if (ttlMs === null) throw leaseNotFound(request.leaseId);
    return { ttlMs };
  }

  @Handles(leaseTimeToLive)
  async timeToLive(request: RequestOf<typeof leaseTimeToLive>): Promise<ResponseOf<typeof leaseTimeToLive>> {
    const { leaseId } = request;
    const deadlines = await this.#confirmedDeadlines();
    const lease = this.store.local.lease(leaseId);
    const remainingMs = deadlines.remainingMs(leaseId, this.clock.monotonicMs());
    if (lease === undefined || remainingMs === null) throw leaseNotFound(leaseId);
    const answer = { ttlMs: lease.ttlMs, remainingMs: Math.ceil(remainingMs) };
    if (request.wantsKeys !== true) return answer;
    const from = request.keysFrom ?? '';
    const keys = this.store.local.leaseKeys(leaseId).filter((key) => compareKeys(key, from) >= 0);
    return { ...answer, ...firstOf(keys) };
  }

  @Handles(leases)
  async list({ from = 0 }: RequestOf<typeof leases>): Promise<ResponseOf<typeof leases>> {
    await this.store.readBarrier();
    const found = this.store.local.listLeases().filter(({ lease }) => lease >= from);
    const listed = found.slice(0, ANSWER_ITEMS_MAX).map(({ lease, ttlMs }) => ({ leaseId: lease, ttlMs }));
    return { leases: listed, more: listed.length < found.length };
  }

  /** Looks for leases that have run out. Runs by itself, while this member leads. */
  check(): void {
    const now = this.clock.monotonicMs();
    const lateMs = now - this.#lastCheckAt - CHECK_INTERVAL_MS;
    this.#lastCheckAt = now;
    const deadlines = this.#deadlines;
    if (deadlines === null) return;
    if (lateMs > CHECK_INTERVAL_MS) deadlines.postpone(lateMs);
    const expired = deadlines.takeExpired(now);
    for (const some of this.#inParts(expired)) void this.#expire(deadlines, some);
  }

  /** One lease alone may have more keys. */
  #inParts(leases: readonly LeaseId[]): LeaseId[][] {
    const parts: LeaseId[][] = [];
    let size = ENDED_AT_ONCE;
    for (const lease of leases) {
      const added = 1 + this.store.local.leaseKeyCount(lease);
      if (size + added > ENDED_AT_ONCE) {
        parts.push([]);
        size = 0;
      }
      parts.at(-1)?.push(lease);
      size += added;
    }
    return parts;
  }

  /**
   * A majority confirms, after the request came, that nobody else leads: a later leader counts from later. And a lease
   * whose grant was acknowledged by another member is applied here, too.
   */
  async #confirmedDeadlines(): Promise<LeaseDeadlines> {
    const deadlines = this.#deadlines;
    if (deadlines === null) throw this.#notLeader();
    await this.store.readBarrier();
    if (this.#deadlines !== deadlines) throw this.#notLeader();
    return deadlines;
  }

  #leadsNoMore(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#deadlines = null;
  }

  #onLeadership(change: LeadershipChange): void {
    if (!change.leading) this.#leadsNoMore();
    else if (this.#deadlines?.term !== change.term) {
      const now = this.clock.monotonicMs();
      this.#lastCheckAt = now;
      this.#timer ??= setInterval(() => this.check(), CHECK_INTERVAL_MS);
      this.#deadlines = new LeaseDeadlines(change.term, this.store.local.listLeases(), now);
    }
  }

  #follow(result: CommandResult | null): void {
    if (this.#deadlines === null) return;
    const now = this.clock.monotonicMs();
    if (result === null) this.#deadlines.reset(this.store.local.listLeases(), now);
    else if (result.kind === 'leaseGranted') {
      const lease = this.store.local.lease(result.lease);
      if (lease !== undefined) this.#deadlines.add(lease, now);
    } else if (result.kind === 'leasesEnded') {
      for (const lease of result.leases) this.#deadlines.remove(lease);
    }
  }

  /** Repeated until it is decided, or until this leadership ends and the proposals of its term mean nothing. */
  async #expire(deadlines: LeaseDeadlines, leases: readonly LeaseId[]): Promise<void> {
    const { term } = deadlines;
    const asOf = this.store.local.wantedGrants;
    while (this.#deadlines === deadlines) {
      try {
        await this.store.propose({ kind: 'leaseExpire', leases, term, asOf });
        // Not before: without room on the disks it fails ten times a second.
        this.logger.info({ leases, term }, 'Leases have run out');
        return;
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        if (error.code === 'OUTCOME_UNKNOWN') continue;
        deadlines.revive(leases);
        return;
      }
    }
  }

  #notLeader(): OperationalError {
    const { leader } = this.store.status();
    return new OperationalError('NOT_LEADER', 'The leader alone counts how long leases live', { leader });
  }
}

/** As many as an answer has room for. */
function firstOf(keys: readonly string[]): { keys: string[]; more: boolean } {
  let sizeBytes = 0;
  const cut = keys.findIndex((key, i) => {
    sizeBytes += utf8Length(key);
    return i === ANSWER_ITEMS_MAX || sizeBytes > ANSWER_BYTES_MAX;
  });
  return cut === -1 ? { keys: [...keys], more: false } : { keys: keys.slice(0, cut), more: true };
}
