/** Clients, each with one operation at a time, at whichever member; what they saw is the history that is checked. */
import type { MemberId, Prng } from '@ringleader/primitives';
import {
  checkOperations,
  kvAppend,
  type KvAppendInput,
  type KvAppendOutput,
  type Operation,
} from '@ringleader/testing-linearizability';
import { type Host, type NodeId, type Process, SimulationFailure } from '@ringleader/testing-simulation';
import type { ClientSettings } from './settings.js';
import type { ClientOperation, MemberAnswer, SimMessage } from './sim-messages.js';

const configurationsMax = 20_000;

interface OpenRequest {
  readonly client: number;
  readonly operation: ClientOperation;
  readonly invokedAt: number;
  readonly answered: (answer: MemberAnswer | null) => void;
  readonly cancelTimeout: () => void;
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
  readonly #history: Operation<KvAppendInput, KvAppendOutput>[] = [];
  readonly #open = new Map<number, OpenRequest>();
  #nextRequest = 1;
  #isStopped = false;

  constructor(host: Host<SimMessage>, settings: ClientSettings, members: readonly MemberId[]) {
    this.#host = host;
    this.#settings = settings;
    this.#members = members;
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

  /** Those that were never answered may have taken effect, or not. A history too hard to decide within the bound is no failure. */
  check(): void {
    const unanswered = [...this.#open.values()].map((request) => operationOf(request, null, Infinity));
    const operations = [...this.#history, ...unanswered.filter((operation) => operation !== null)];
    const result = checkOperations(kvAppend, operations, { configurationsMax });
    if (result.verdict === 'violation') throw new SimulationFailure('linearizability', result.counterexample);
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
    this.#open.set(requestId, { client, operation, answered, invokedAt: this.#now(), cancelTimeout });
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
    const operation = operationOf(request, answer, this.#now());
    if (operation !== null) this.#history.push(operation);
    request.answered(answer);
  }

  #now(): number {
    return this.#host.monotonicMs();
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#prng.nextBelow(all.length)] as T;
  }
}

/** Null for what certainly did not happen, and for a read that nobody saw the answer of. */
function operationOf(
  { client, operation, invokedAt }: OpenRequest,
  answer: MemberAnswer | null,
  returnedAt: number,
): Operation<KvAppendInput, KvAppendOutput> | null {
  const known = { process: client, input: operation, invokedAt, returnedAt };
  if (answer === null) return operation.op === 'get' ? null : { ...known, outcome: { kind: 'unknown' } };
  if (answer.kind === 'unavailable') return null;
  return { ...known, outcome: { kind: 'ok', output: answer.kind === 'value' ? answer.value : undefined } };
}
