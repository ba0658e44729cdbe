/**
 * The proposals of this process that are not answered yet. A proposal is bound to the term in which it was handed to the
 * core (proposals/propose.ts of the core): once an entry of a later term is applied, it certainly never will be.
 */
import { randomBytes } from 'node:crypto';
import type { Proposal } from '@ringleader/raft';
import type { ProposalLimits, ProposalOutcome } from './raft-node.js';

/** A command lies in an entry of the log with the name of its proposal, by which the proposer knows it again. */
const sessionBytes = 8;
const headerBytes = 16;

/** Names one run of one process, so that proposal numbers need only be unique within it. */
type ProposerSession = Buffer;

function newProposerSession(): ProposerSession {
  return randomBytes(sessionBytes);
}

function sealCommand(session: ProposerSession, id: number, command: Uint8Array): Uint8Array {
  const data = Buffer.allocUnsafe(headerBytes + command.byteLength);
  data.set(session, 0);
  data.writeBigUInt64LE(BigInt(id), sessionBytes);
  data.set(command, headerBytes);
  return data;
}

interface OpenedCommand {
  /** Null if another process, or another run of this one, proposed it. */
  readonly ownId: number | null;
  readonly command: Uint8Array;
}

function openCommand(session: ProposerSession, data: Uint8Array): OpenedCommand {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const isOwn = view.subarray(0, sessionBytes).equals(session);
  const ownId = isOwn ? Number(view.readBigUInt64LE(sessionBytes)) : null;
  return { ownId, command: data.subarray(headerBytes) };
}

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

const unavailable = { kind: 'unavailable' } as const;
const diskFull = { kind: 'diskFull' } as const;
const outcomeUnknown = { kind: 'outcomeUnknown' } as const;

export class PendingProposals<Result> {
  readonly #session = newProposerSession();
  readonly #limits: ProposalLimits;
  /** Both oldest first. */
  readonly #queued = new Map<number, Queued<Result>>();
  readonly #handedOver = new Map<number, HandedOver<Result>>();
  #queuedBytes = 0;
  #nextId = 1;
  /** The first of those that show whether the present series is heard. */
  #seriesFrom = 1;

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

  /** What is not handed over cannot be, for lack of room. */
  refuseQueued(): void {
    for (const id of this.#queued.keys()) this.#unqueue(id)?.resolve(diskFull);
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

  /** True where one of the present series was not answered: the next one begins then (`RaftMember.renewProposals`). */
  expire(nowMs: number): boolean {
    for (const [id, { handOverByMs }] of this.#queued) {
      if (nowMs >= handOverByMs) this.#unqueue(id)?.resolve(unavailable);
    }
    let isUnanswered = false;
    for (const [id, { deadlineMs }] of this.#handedOver) {
      if (nowMs < deadlineMs) continue;
      isUnanswered ||= id >= this.#seriesFrom;
      this.#answer(id, outcomeUnknown);
    }
    if (isUnanswered) this.#seriesFrom = this.#nextId;
    return isUnanswered;
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
