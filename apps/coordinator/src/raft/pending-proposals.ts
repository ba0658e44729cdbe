/**
 * The proposals of this process that are not answered yet. A proposal is bound to the term in which it was handed to the
 * core (proposals/propose.ts of the core): once an entry of a later term is applied, it certainly never will be.
 */
import type { Proposal } from '@ringleader/raft';
import { newProposerSession, openCommand, sealCommand, type OpenedCommand } from './command-envelope.js';
import type { ProposalOutcome } from './raft-node.js';

interface Queued<Result> {
  readonly data: Uint8Array;
  /** When it stops to wait for a leader. */
  readonly handOverByMs: number;
  readonly deadlineMs: number;
  readonly resolve: (outcome: ProposalOutcome<Result>) => void;
}

interface HandedOver<Result> {
  readonly term: number;
  readonly deadlineMs: number;
  readonly resolve: (outcome: ProposalOutcome<Result>) => void;
}

export interface ProposalLimits {
  /** Not yet answered: more are answered `unavailable` at once. */
  readonly countMax: number;
  /** Not yet handed over. */
  readonly queuedBytesMax: number;
  /** How long a proposal waits for a leader to be known. */
  readonly leaderWaitMs: number;
}

const unavailable = { kind: 'unavailable' } as const;
const outcomeUnknown = { kind: 'outcomeUnknown' } as const;

export class PendingProposals<Result> {
  readonly #session = newProposerSession();
  readonly #limits: ProposalLimits;
  /** Both oldest first. */
  readonly #queued = new Map<number, Queued<Result>>();
  readonly #handedOver = new Map<number, HandedOver<Result>>();
  #queuedBytes = 0;
  #nextId = 1;

  constructor(limits: ProposalLimits) {
    this.#limits = limits;
  }

  get hasQueued(): boolean {
    return this.#queued.size > 0;
  }

  add(command: Uint8Array, nowMs: number, timeoutMs: number): Promise<ProposalOutcome<Result>> {
    const { countMax, queuedBytesMax, leaderWaitMs } = this.#limits;
    const isFull =
      this.#queued.size + this.#handedOver.size >= countMax || this.#queuedBytes >= queuedBytesMax;
    if (isFull) return Promise.resolve(unavailable);
    const id = this.#nextId++;
    const data = sealCommand(this.#session, id, command);
    this.#queuedBytes += data.byteLength;
    return new Promise((resolve) => {
      const handOverByMs = nowMs + Math.min(timeoutMs, leaderWaitMs);
      this.#queued.set(id, { data, handOverByMs, deadlineMs: nowMs + timeoutMs, resolve });
    });
  }

  /** The oldest that are not handed over: up to the size, and at least one if there is any. */
  nextBatch(sizeBytesMax: number): Proposal[] {
    const batch: Proposal[] = [];
    let bytes = 0;
    for (const [id, { data }] of this.#queued) {
      bytes += data.byteLength;
      if (batch.length > 0 && bytes > sizeBytesMax) break;
      batch.push({ id, data });
    }
    return batch;
  }

  /** The core took the batch, in that term. */
  handedOver(batch: readonly Proposal[], term: number): void {
    for (const { id } of batch) {
      const queued = this.#unqueue(id);
      if (queued === undefined) continue;
      this.#handedOver.set(id, { term, deadlineMs: queued.deadlineMs, resolve: queued.resolve });
    }
  }

  open(data: Uint8Array): OpenedCommand {
    return openCommand(this.#session, data);
  }

  applied(id: number, index: number, result: Result): void {
    this.#answer(id, { kind: 'applied', index, result });
  }

  refused(ids: readonly number[]): void {
    for (const id of ids) this.#answer(id, unavailable);
  }

  /** An entry of `term` is applied, and what was proposed in earlier terms was not before it. */
  termApplied(term: number): void {
    for (const [id, { term: boundTo }] of this.#handedOver) if (boundTo < term) this.#answer(id, unavailable);
  }

  /** A snapshot up to an entry of `term` took the place of entries which nobody here saw. */
  skippedTo(term: number): void {
    for (const [id, { term: boundTo }] of this.#handedOver)
      if (boundTo <= term) this.#answer(id, outcomeUnknown);
  }

  expire(nowMs: number): void {
    for (const [id, { handOverByMs }] of this.#queued) {
      if (nowMs >= handOverByMs) this.#unqueue(id)?.resolve(unavailable);
    }
    for (const [id, { deadlineMs }] of this.#handedOver) {
      if (nowMs >= deadlineMs) this.#answer(id, outcomeUnknown);
    }
  }

  end(): void {
    this.expire(Infinity);
  }

  #unqueue(id: number): Queued<Result> | undefined {
    const queued = this.#queued.get(id);
    if (queued === undefined) return undefined;
    this.#queued.delete(id);
    this.#queuedBytes -= queued.data.byteLength;
    return queued;
  }

  #answer(id: number, outcome: ProposalOutcome<Result>): void {
    const handedOver = this.#handedOver.get(id);
    this.#handedOver.delete(id);
    handedOver?.resolve(outcome);
  }
}
