/**
 * Collects what one turn produces, and holds back each message until the batch is durable that it depends on.
 * Batches are numbered; a change of the hard state or of the log belongs to the next one to be handed out.
 */
import { invariant } from '@ringleader/primitives';
import type { Message } from './messages.js';
import type { RaftEvent } from './ready.js';
import type { RaftRules } from './rules.js';
import type { MemberId, ProposalId, ReadState, Snapshot } from './types.js';

/** What must be on disk before a message may leave: term and vote, or these and the log. */
export type Dependency = 'nothing' | 'hardState' | 'log';

interface HeldMessage {
  readonly dependency: Dependency;
  readonly dependsOn: number;
  readonly message: Message;
}

/** Of no batch yet. */
const DEFERRED = Number.POSITIVE_INFINITY;

export class Outbox {
  readonly #self: MemberId;
  readonly #rules: RaftRules;
  #leaving: Message[] = [];
  #toSelf: Message[] = [];
  #held: HeldMessage[] = [];
  #events: RaftEvent[] = [];
  #reads: ReadState[] = [];
  #refused: ProposalId[] = [];
  #snapshotToWrite: Snapshot | null = null;
  #nextBatch = 1;
  #durable = 0;
  #hardStateBatch = 0;
  #logBatch = 0;

  constructor(self: MemberId, rules: RaftRules) {
    this.#self = self;
    this.#rules = rules;
  }

  hardStateChanged(): void {
    this.#hardStateBatch = this.#nextBatch;
  }
  logChanged(): void {
    if (this.#logBatch !== DEFERRED) this.#logBatch = this.#nextBatch;
  }
  /** For what the batch `from` was to have of the log, and all after it, there is no room: what depends on it waits. */
  deferLog(from: number = this.#nextBatch): void {
    this.#logBatch = DEFERRED;
    this.#held = this.#held.map((held) =>
      held.dependency === 'log' && held.dependsOn >= from ? { ...held, dependsOn: DEFERRED } : held,
    );
  }
  /** The next batch has it. */
  resumeLog(): void {
    if (this.#logBatch !== DEFERRED) return;
    const next = this.#nextBatch;
    this.#logBatch = next;
    this.#held = this.#held.map((held) =>
      held.dependsOn === DEFERRED ? { ...held, dependsOn: next } : held,
    );
  }
  installSnapshot(snapshot: Snapshot): void {
    this.#snapshotToWrite = snapshot;
    this.logChanged();
  }

  send(message: Message, dependency: Dependency): void {
    const dependsOn = this.#batchOf(dependency);
    if (this.#rules.mayLeave(dependsOn, this.#durable)) this.#release(message);
    else this.#held.push({ dependency, dependsOn, message });
  }
  note(event: RaftEvent): void {
    this.#events.push(event);
  }
  answerRead(read: ReadState): void {
    this.#reads.push(read);
  }
  refuse(ids: readonly ProposalId[]): void {
    this.#refused.push(...ids);
  }

  /** Null while one is being written, and when nothing changed. */
  takeBatch(): { readonly id: number; readonly snapshot: Snapshot | null } | null {
    const isChanged =
      this.#hardStateBatch === this.#nextBatch ||
      this.#logBatch === this.#nextBatch ||
      this.#snapshotToWrite !== null;
    if (!isChanged || this.#durable < this.#nextBatch - 1) return null;
    const batch = { id: this.#nextBatch, snapshot: this.#snapshotToWrite };
    this.#nextBatch += 1;
    this.#snapshotToWrite = null;
    return batch;
  }
  batchDurable(id: number): void {
    invariant(id === this.#durable + 1 && id < this.#nextBatch, 'a batch is durable that was not handed out');
    this.#durable = id;
    const held = this.#held;
    this.#held = [];
    for (const entry of held) {
      if (this.#rules.mayLeave(entry.dependsOn, id)) this.#release(entry.message);
      else this.#held.push(entry);
    }
  }

  /** A candidate's vote for itself comes back to it when it is durable. */
  takeToSelf(): Message | undefined {
    return this.#toSelf.shift();
  }
  takeMessages(): Message[] {
    const messages = this.#leaving;
    this.#leaving = [];
    return messages;
  }
  takeEvents(): RaftEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
  takeReads(): ReadState[] {
    const reads = this.#reads;
    this.#reads = [];
    return reads;
  }
  takeRefused(): ProposalId[] {
    const refused = this.#refused;
    this.#refused = [];
    return refused;
  }

  #batchOf(dependency: Dependency): number {
    if (dependency === 'nothing') return 0;
    return dependency === 'hardState' ? this.#hardStateBatch : Math.max(this.#hardStateBatch, this.#logBatch);
  }
  #release(message: Message): void {
    (message.to === this.#self ? this.#toSelf : this.#leaving).push(message);
  }
}
