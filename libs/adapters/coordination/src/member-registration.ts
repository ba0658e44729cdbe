/**
 * Keeps this process in the service registry: one key under a lease that is kept alive. When the lease is lost (a pause,
 * a cut-off network) the process is registered again under a new one; when the key alone is, under the same one.
 */
import { OperationalError, memberKey } from '@ringleader/contracts';
import type { Member } from '@ringleader/contracts';
import type { CallOptions, Coordinator, CoordinatorRequest } from './coordination-client.js';

export interface MemberRegistrationOptions {
  readonly client: Coordinator;
  readonly member: Member;
  /** After the process died silently its key stays for this long. Absent: 5 s. */
  readonly ttlMs?: number;
  /** Called at every registration under a new lease: the first one, and after each loss. */
  readonly onRegistered?: (lease: number) => void;
  readonly onTrouble?: (error: OperationalError) => void;
}

const DEFAULT_TTL_MS = 5_000;
const RETRY_MS = 250;
/** Two renewals may fail before the lease is in danger. */
const RENEWALS_PER_TTL = 3;
const REVOKE_TIMEOUT_MS = 2_000;

export class MemberRegistration {
  #member: Member;
  /** 0 while not registered. */
  #lease = 0;
  #isDirty = true;
  #isStopped = false;
  #loop: Promise<void> = Promise.resolve();
  readonly #pause = new WakeablePause();
  readonly #first: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #ttlMs: number;

  constructor(private readonly options: MemberRegistrationOptions) {
    this.#member = options.member;
    this.#ttlMs = options.ttlMs ?? DEFAULT_TTL_MS;
  }

  get member(): Member {
    return this.#member;
  }

  get isRegistered(): boolean {
    return this.#lease !== 0;
  }

  /** Starts; settles once registered, however long that takes. */
  start(): Promise<void> {
    this.#loop = this.#run();
    return this.#first.promise;
  }

  /** Changes what is registered; written in the background, and again after each loss of the lease. */
  update(change: Partial<Pick<Member, 'state' | 'ordinal' | 'address' | 'leaseMs'>>): void {
    this.#member = { ...this.#member, ...change };
    this.#isDirty = true;
    this.#pause.wake();
  }

  /** Takes the process out of the registry at once; if the coordinator cannot be reached, the lease runs out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#pause.wake();
    this.#first.resolve();
    await this.#loop;
    if (this.#lease === 0) return;
    try {
      await this.options.client.leaseRevoke({ leaseId: this.#lease }, { timeoutMs: REVOKE_TIMEOUT_MS });
    } catch (error) {
      this.#report(error);
    }
    this.#lease = 0;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const renewAt = performance.now() + this.#ttlMs / RENEWALS_PER_TTL;
      try {
        await this.#step(renewAt);
        await this.#pause.wait(Math.max(0, renewAt - performance.now()));
      } catch (error) {
        this.#report(error);
        const isLost = error instanceof OperationalError && error.code === 'LEASE_NOT_FOUND';
        if (isLost) this.#lease = 0;
        else await this.#pause.wait(RETRY_MS);
      }
    }
  }

  /**
   * What is registered is asked for and written in the time that is left until the lease must be renewed again: where a renewal took
   * all of it, in half as long, since a new state has to get through.
   */
  async #step(renewAt: number): Promise<void> {
    const { client } = this.options;
    if (this.#lease === 0) {
      const { leaseId } = await client.leaseGrant({ ttlMs: this.#ttlMs });
      await this.#write(leaseId);
      this.#lease = leaseId;
      this.options.onRegistered?.(leaseId);
      this.#first.resolve();
      return;
    }
    await client.leaseKeepAlive({ leaseId: this.#lease });
    const leastMs = this.#ttlMs / RENEWALS_PER_TTL / 2;
    const inTime = (): CallOptions => ({ timeoutMs: Math.max(leastMs, renewAt - performance.now()) });
    if (this.#isDirty || (await this.#isAmiss(inTime))) await this.#write(this.#lease, inTime);
  }

  /**
   * That the lease lives does not say that what was written under it is there. Another process of this name, which was frozen and
   * taken for dead, may have written over it and left; and coordinators that were restored have what was so when the snapshot was
   * taken. What another process keeps there is left to it.
   */
  async #isAmiss(inTime: () => CallOptions): Promise<boolean> {
    const { service, id } = this.#member;
    const { items } = await this.options.client.range({ key: memberKey(service, id) }, inTime());
    const [item] = items;
    if (item === undefined) return true;
    return item.lease === this.#lease && item.value !== JSON.stringify(this.#member);
  }

  /**
   * On the condition of what was there: an attempt that was given up may be carried out later, and is not to take the place of what
   * was written since, with what was so then, or under a lease that nobody keeps alive.
   */
  async #write(lease: number, inTime?: () => CallOptions): Promise<void> {
    const { client } = this.options;
    const { service, id } = this.#member;
    const key = memberKey(service, id);
    for (let isWritten = false; !isWritten;) {
      const { items } = await client.range({ key }, inTime?.());
      const member = this.#member;
      const operand = items[0]?.modRevision ?? 0;
      const request: CoordinatorRequest<'txn'> = {
        compare: [{ key, target: 'modRevision', result: 'equal', operand }],
        success: [{ kind: 'put', key, value: JSON.stringify(member), lease }],
        failure: [],
      };
      const { succeeded } = await client.txn(request, inTime?.());
      isWritten = succeeded;
      this.#isDirty = this.#member !== member;
    }
    if (this.#isDirty) this.#pause.wake();
  }

  #report(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    this.options.onTrouble?.(error);
  }
}

/** A wait that can be cut short. A wake-up before the wait counts for the next one, so none is lost. */
class WakeablePause {
  #isWoken = false;
  #wake: (() => void) | null = null;

  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  async wait(timeoutMs: number): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    this.#isWoken = false;
  }
}
