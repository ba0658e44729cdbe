import { OperationalError } from '@ringleader/contracts';
import type { ErrorCode, KeyValue, WatchedEvent } from '@ringleader/contracts';
import type {
  Coordinator,
  CoordinatorGroup,
  CoordinatorRequest,
  CoordinatorResponse,
} from '../src/coordination-client.js';
import type { WatchHandle, WatchListener, WatchOptions } from '../src/watch-client.js';
import { compareKeys } from '@ringleader/primitives';

type Operation = keyof Coordinator;
type Range = { readonly key: string; readonly rangeEnd?: string | undefined };

/** `before`: nothing is done. `after`: it is done, and the answer gets lost. */
interface Failure {
  readonly operation: Operation;
  readonly code: ErrorCode;
  readonly when: 'before' | 'after';
}

interface Watching {
  readonly options: WatchOptions;
  readonly listener: WatchListener;
  next: number;
}

/** What the adapter's classes see of a coordinator, in memory and with faults on demand. */
export class FakeCoordinator implements Coordinator, CoordinatorGroup {
  revision = 0;
  compacted = 0;
  /** How many items or events one answer holds. */
  pageSize = 100;
  readonly items = new Map<string, KeyValue>();
  readonly leases = new Map<number, Set<string>>();
  readonly calls: Operation[] = [];
  readonly incidents: CoordinatorRequest<'reportIncident'>[] = [];
  #lastLease = 0;
  readonly #events: WatchedEvent[] = [];
  readonly #failures: Failure[] = [];
  readonly #watching = new Set<Watching>();

  /** The next call of this operation fails so. */
  failNext(operation: Operation, code: ErrorCode, when: Failure['when'] = 'before'): void {
    this.#failures.push({ operation, code, when });
  }

  /** Ends a lease as if it had run out. */
  expire(lease: number): void {
    const keys = this.leases.get(lease) ?? new Set();
    this.leases.delete(lease);
    this.#commit([], [...keys]);
  }

  put(...pairs: readonly (readonly [key: string, value: string])[]): void {
    this.#commit(
      pairs.map(([key, value]) => ({ key, value, lease: 0 })),
      [],
    );
  }

  remove(...keys: readonly string[]): void {
    this.#commit([], keys);
  }

  /** It is no group that could change. */
  members(): Promise<never> {
    return noGroup();
  }
  changeMembers(): Promise<never> {
    return noGroup();
  }
  transferLeader(): Promise<never> {
    return noGroup();
  }
  /** What shards report is kept; nothing else is answered. */
  ask: Coordinator['ask'] = (operation, request) => {
    if (operation !== 'reportIncident') return noGroup();
    this.incidents.push(request as CoordinatorRequest<'reportIncident'>);
    return Promise.resolve({ id: String(this.incidents.length) }) as Promise<never>;
  };
  askMember(): Promise<never> {
    return noGroup();
  }

  status(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): Promise<void> {
    this.#watching.clear();
    return Promise.resolve();
  }

  compact(): void {
    this.compacted = this.revision;
  }

  range(request: CoordinatorRequest<'range'>): Promise<CoordinatorResponse<'range'>> {
    return this.#serve('range', () => ({ revision: this.revision, ...this.#list(request) }));
  }

  txn(request: CoordinatorRequest<'txn'>): Promise<CoordinatorResponse<'txn'>> {
    return this.#serve('txn', () => {
      const succeeded = request.compare.every(({ key, target, result, operand }) => {
        const item = this.items.get(key);
        if (target === 'value') return item?.value === operand;
        const number = item?.[target] ?? 0;
        return result === 'greater' ? number > Number(operand) : number === operand;
      });
      const operations = succeeded ? request.success : request.failure;
      const puts = operations.filter((operation) => operation.kind === 'put');
      for (const { lease = 0 } of puts) {
        if (lease !== 0 && !this.leases.has(lease)) throw new OperationalError('LEASE_NOT_FOUND', 'no lease');
      }
      const gone = operations
        .filter((operation) => operation.kind === 'delete')
        .map((operation) => [...this.items.keys()].filter((key) => isWithin(operation, key)));
      this.#commit(
        puts.map(({ key, value = '', lease = 0 }) => ({ key, value, lease })),
        gone.flat(),
      );
      const results = operations.map((operation) => {
        if (operation.kind === 'range') return { kind: 'range' as const, ...this.#list(operation) };
        if (operation.kind === 'delete')
          return { kind: 'delete' as const, deleted: gone.shift()?.length ?? 0 };
        return { kind: 'put' as const };
      });
      return { revision: this.revision, succeeded, results };
    });
  }

  leaseGrant({ ttlMs }: CoordinatorRequest<'leaseGrant'>): Promise<CoordinatorResponse<'leaseGrant'>> {
    return this.#serve('leaseGrant', () => {
      this.leases.set(++this.#lastLease, new Set());
      return { leaseId: this.#lastLease, ttlMs };
    });
  }

  leaseKeepAlive(
    request: CoordinatorRequest<'leaseKeepAlive'>,
  ): Promise<CoordinatorResponse<'leaseKeepAlive'>> {
    return this.#serve('leaseKeepAlive', () => {
      if (!this.leases.has(request.leaseId)) throw new OperationalError('LEASE_NOT_FOUND', 'no lease');
      return { ttlMs: 1 };
    });
  }

  leaseRevoke(request: CoordinatorRequest<'leaseRevoke'>): Promise<CoordinatorResponse<'leaseRevoke'>> {
    return this.#serve('leaseRevoke', () => {
      this.expire(request.leaseId);
      return { revision: this.revision };
    });
  }

  watch(options: WatchOptions, listener: WatchListener): WatchHandle {
    const watching = { options, listener, next: options.fromRevision };
    this.#watching.add(watching);
    this.calls.push('watch');
    queueMicrotask(() => this.#show(watching));
    return {
      cancel: () => void this.#watching.delete(watching),
      requestProgress: () => queueMicrotask(() => this.#show(watching)),
    };
  }

  /** What the watch has not seen, revision by revision, and how far that is. */
  #show(watching: Watching): void {
    const { options, listener, next } = watching;
    if (!this.#watching.has(watching) || this.#isEnded(watching)) return;
    watching.next = Math.max(next, this.revision + 1);
    const found = this.#events.filter(({ item }) => item.modRevision >= next && isWithin(options, item.key));
    for (const revision of new Set(found.map(({ item }) => item.modRevision))) {
      if (!this.#watching.has(watching)) return;
      const events = found.filter(({ item }) => item.modRevision === revision);
      listener.onEvents(events, revision);
    }
    if (this.#watching.has(watching)) listener.onProgress?.(watching.next - 1);
  }

  #isEnded(watching: Watching): boolean {
    const failure = this.#takeFailure('watch');
    const code = watching.next <= this.compacted ? 'COMPACTED' : failure?.code;
    if (code === undefined) return false;
    const error = new OperationalError(code, 'as the test wants it');
    const isEnded = error.entry.retry === 'never';
    if (isEnded) this.#watching.delete(watching);
    const { onEnd, onTrouble } = watching.listener;
    (isEnded ? onEnd : onTrouble)?.(error);
    return isEnded;
  }

  #takeFailure(operation: Operation): Failure | undefined {
    const position = this.#failures.findIndex((failure) => failure.operation === operation);
    return position === -1 ? undefined : this.#failures.splice(position, 1)[0];
  }

  async #serve<Response>(operation: Operation, answer: () => Response): Promise<Response> {
    this.calls.push(operation);
    const failure = this.#takeFailure(operation);
    await Promise.resolve();
    if (failure?.when === 'before') throw new OperationalError(failure.code, 'as the test wants it');
    const response = answer();
    if (failure?.when === 'after') throw new OperationalError(failure.code, 'as the test wants it');
    return response;
  }

  #list(range: Range & { readonly limit?: number | undefined }): {
    items: KeyValue[];
    count: number;
    more: boolean;
  } {
    const all = [...this.items.values()]
      .filter(({ key }) => isWithin(range, key))
      .sort((a, b) => compareKeys(a.key, b.key));
    const items = all.slice(0, Math.min(range.limit ?? this.pageSize, this.pageSize));
    return { items, count: all.length, more: items.length < all.length };
  }

  #commit(puts: readonly Pick<KeyValue, 'key' | 'value' | 'lease'>[], deletes: readonly string[]): void {
    if (puts.length + deletes.length === 0) return;
    this.revision += 1;
    const modRevision = this.revision;
    for (const { key, value, lease } of puts) {
      const old = this.items.get(key);
      const createRevision = old?.createRevision ?? modRevision;
      const item = { key, value, lease, createRevision, modRevision, version: (old?.version ?? 0) + 1 };
      this.items.set(key, item);
      this.leases.get(lease)?.add(key);
      this.#events.push({ kind: 'put', item: { ...item, value: Buffer.from(value) }, previous: null });
    }
    for (const key of deletes) {
      this.items.delete(key);
      const item = { key, value: Buffer.of(), lease: 0, createRevision: 0, modRevision, version: 0 };
      this.#events.push({ kind: 'delete', item, previous: null });
    }
    queueMicrotask(() => {
      for (const watching of [...this.#watching]) this.#show(watching);
    });
  }
}

function isWithin({ key: start, rangeEnd }: Range, key: string): boolean {
  if (rangeEnd === undefined) return key === start;
  return compareKeys(key, start) >= 0 && (rangeEnd === '' || compareKeys(key, rangeEnd) < 0);
}

function noGroup(): Promise<never> {
  return Promise.reject(
    new OperationalError('UNAVAILABLE', 'No majority of the coordinators could be reached'),
  );
}
