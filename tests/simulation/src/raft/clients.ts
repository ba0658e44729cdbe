/** Clients, each with one operation at a time, at whichever member; what they saw is the history that is checked. */
import type { MemberId, Prng } from '@ringleader/primitives';
import { type Host, type NodeId, type Process } from '@ringleader/testing-simulation';
import { Workload } from './data/workload.js';
import type { ClientSettings } from './settings.js';
import type { ClientOperation, MemberAnswer, SimMessage } from './sim-messages.js';

interface Request {
  readonly requestId: number;
  readonly client: number;
  readonly operation: ClientOperation;
  readonly invokedAt: number;
}

interface OpenRequest extends Request {
  readonly answered: (answer: MemberAnswer | null) => void;
  readonly cancelTimeout: () => void;
}

/** Times are simulated: the clients' clock is exact. */
export interface RecordedOperation extends Request {
  /** Infinity where nobody heard an answer in time: it may have taken effect, or not, or still will. */
  readonly returnedAt: number;
  readonly answer: MemberAnswer | null;
}

export interface ClientCounts {
  answered: number;
  unavailable: number;
  unknown: number;
}

export class ClientsProcess implements Process<SimMessage> {
  readonly counts: ClientCounts = { answered: 0, unavailable: 0, unknown: 0 };
  readonly #host: Host<SimMessage>;
  readonly #settings: ClientSettings;
  readonly #members: readonly MemberId[];
  readonly #history: RecordedOperation[] = [];
  readonly #workload: Workload;
  readonly #open = new Map<number, OpenRequest>();
  #nextRequest = 1;
  #isStopped = false;

  constructor(host: Host<SimMessage>, settings: ClientSettings, members: readonly MemberId[]) {
    this.#host = host;
    this.#settings = settings;
    this.#members = members;
    this.#workload = new Workload(host.prng, settings.leases);
    for (let client = 1; client <= settings.clients; client += 1) this.#think(client, this.#pick(members));
  }

  receive(_from: NodeId, message: SimMessage): void {
    if (message.kind === 'answer') this.#close(message.requestId, message.answer);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** One operation outside of the load. `answered` gets null when its time is over. */
  ask(member: MemberId, operation: ClientOperation, answered: (answer: MemberAnswer | null) => void): void {
    this.#send({ client: 0, member, operation, answered });
  }

  history(): readonly RecordedOperation[] {
    const open = [...this.#open.values()].map((request) => recorded(request, null, Infinity));
    return [...this.#history, ...open];
  }

  get #prng(): Prng {
    return this.#host.prng;
  }

  #think(client: number, member: MemberId): void {
    if (this.#isStopped) return;
    this.#host.after(this.#prng.nextFloat() * this.#settings.thinkMsMax, () => {
      const operation = this.#draw(client);
      const answered = (answer: MemberAnswer | null): void => {
        const isContent = answer !== null && answer.kind !== 'unavailable' && this.#prng.nextBelow(10) > 0;
        this.#think(client, isContent ? member : this.#pick(this.#members));
      };
      if (!this.#isStopped) this.#send({ client, member, operation, answered });
    });
  }

  #draw(client: number): ClientOperation {
    const { mixed } = this.#settings;
    if (mixed > 0 && this.#prng.nextBelow(10) < mixed) return this.#workload.draw();
    const key = `k${String(this.#prng.nextBelow(this.#settings.keys))}`;
    if (this.#prng.nextBelow(10) < this.#settings.reads) return { op: 'get', key };
    return { op: 'append', key, value: `${String(client)}.${String(this.#nextRequest)} ` };
  }

  #send(request: {
    readonly client: number;
    readonly member: MemberId;
    readonly operation: ClientOperation;
    readonly answered: (answer: MemberAnswer | null) => void;
  }): void {
    const requestId = this.#nextRequest;
    this.#nextRequest += 1;
    const cancelTimeout = this.#host.after(this.#settings.timeoutMs, () => {
      this.#close(requestId, null);
    });
    const { client, operation, answered } = request;
    this.#open.set(requestId, {
      requestId,
      client,
      operation,
      answered,
      invokedAt: this.#now(),
      cancelTimeout,
    });
    this.#host.send(request.member, { kind: 'request', requestId, operation });
  }

  #close(requestId: number, answer: MemberAnswer | null): void {
    const request = this.#open.get(requestId);
    if (request === undefined) return;
    this.#open.delete(requestId);
    request.cancelTimeout();
    if (answer === null) this.counts.unknown += 1;
    else if (answer.kind === 'unavailable') this.counts.unavailable += 1;
    else this.counts.answered += 1;
    if (answer !== null) this.#workload.learn(answer);
    this.#history.push(recorded(request, answer, answer === null ? Infinity : this.#now()));
    request.answered(answer);
  }

  #now(): number {
    return this.#host.monotonicMs();
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#prng.nextBelow(all.length)] as T;
  }
}

function recorded(
  { requestId, client, operation, invokedAt }: OpenRequest,
  answer: MemberAnswer | null,
  returnedAt: number,
): RecordedOperation {
  return { requestId, client, operation, invokedAt, returnedAt, answer };
}
