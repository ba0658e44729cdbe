import { OperationalError, coordinatorContracts, mayAsk } from '@ringleader/contracts';
import type { CoordinatorOperation, RequestOf, ResponseOf, Speaker } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { LeaseController } from '../src/leases/lease.controller.js';
import { StoreController } from '../src/store/store.controller.js';
import { UpkeepController } from '../src/upkeep/upkeep.controller.js';
import { GroupOfOne, ManualClock } from './group-of-one.js';

type Contracts = typeof coordinatorContracts;
type Served = Extract<
  CoordinatorOperation,
  'range' | 'txn' | 'compact' | 'leaseGrant' | 'leaseKeepAlive' | 'leaseTimeToLive' | 'leases' | 'leaseRevoke'
>;

const GATEWAY = { service: 'gateway', member: 'gateway-1' } as const;

/** The store's services by their contracts, as over NATS: what is asked and what is answered goes through JSON and the schemas. */
export class ContractStore {
  readonly group = new GroupOfOne();
  readonly clock = new ManualClock();
  readonly leases = new LeaseController(
    this.group.store,
    this.clock,
    createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' }),
  );
  readonly #store = new StoreController(this.group.store);

  /** Nobody is compared here, and nothing saved. */
  readonly #upkeep = new UpkeepController(this.group.store, null as never, null as never);

  constructor(private readonly speaker: Speaker = GATEWAY) {
    this.leases.onApplicationBootstrap();
  }

  stop(): void {
    this.leases.onApplicationShutdown();
  }

  /** The answer, or the code of the refusal. */
  async ask<Operation extends Served>(
    operation: Operation,
    request: RequestOf<Contracts[Operation]>,
  ): Promise<ResponseOf<Contracts[Operation]> | string> {
    const contract = coordinatorContracts[operation];
    if (!mayAsk(contract, this.speaker)) return 'FORBIDDEN';
    const parsed = contract.request.safeParse(throughJson(request));
    if (!parsed.success) return 'INVALID_ARGUMENT';
    try {
      const answer = throughJson(await this.#handlers[operation](parsed.data as never));
      return contract.response.parse(answer) as ResponseOf<Contracts[Operation]>;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      if (!(contract.errors as readonly string[]).includes(error.code)) {
        throw new Error(`${operation} is not said to answer ${error.code}`, { cause: error });
      }
      return error.code;
    }
  }

  readonly #handlers: { readonly [Operation in Served]: (request: never) => Promise<unknown> } = {
    range: (request) => this.#store.range(request),
    txn: (request) => this.#store.txn(request, this.speaker),
    compact: (request) => this.#upkeep.compact(request),
    leaseGrant: (request) => this.leases.grant(request),
    leaseKeepAlive: (request) => this.leases.keepAlive(request),
    leaseTimeToLive: (request) => this.leases.timeToLive(request),
    leases: (request) => this.leases.list(request),
    leaseRevoke: (request) => this.leases.revoke(request, this.speaker),
  };
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
