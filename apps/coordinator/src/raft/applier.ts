/**
 * What is committed goes into the state machine here, in turns that end when their time is over: who has much to catch up on
 * answers heartbeats and probes meanwhile. The core hands out no more before all that it has handed out is applied.
 */
import type { LogStorage } from '@ringleader/log-storage';
import { type Entry, entryKinds, type RaftMember, type SnapshotPoint, type Term } from '@ringleader/raft';
import type { PendingProposals } from './pending-proposals.js';
import type { PendingReads } from './pending-reads.js';
import type { RaftSettings, StateMachine } from './raft-node.js';
import { restoreFrom } from './stored-snapshot.js';

export interface ApplierParts<Result> {
  readonly member: Pick<RaftMember, 'applied'>;
  readonly storage: Pick<LogStorage, 'openSnapshot'>;
  readonly stateMachine: StateMachine<Result>;
  readonly settings: Pick<RaftSettings, 'applyTurnMs'>;
  readonly nowMs: () => number;
}

/** Who waits for it, and who counts it. */
export interface AppliedListeners<Result> {
  readonly proposals: Pick<PendingProposals<Result>, 'open' | 'applied' | 'termApplied' | 'skippedTo'>;
  readonly reads: Pick<PendingReads, 'applied'>;
  readonly snapshots: { countApplied(entry: Entry): void };
}

export class Applier<Result> {
  readonly #parts: ApplierParts<Result>;
  readonly #listeners: AppliedListeners<Result>;
  #lastTerm: Term;
  #handedOut: readonly Entry[] = [];
  /** Of these. */
  #done = 0;
  #restoring = Promise.resolve();

  /** The state machine stands at an entry of `term`. */
  constructor(parts: ApplierParts<Result>, listeners: AppliedListeners<Result>, term: Term) {
    this.#parts = parts;
    this.#listeners = listeners;
    this.#lastTerm = term;
  }

  take(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#handedOut = entries;
    this.#done = 0;
  }

  /** Applies at least one entry if there is any. False when there was none. */
  turn(): boolean {
    const { member, settings, nowMs } = this.#parts;
    const first = this.#done;
    const endMs = nowMs() + settings.applyTurnMs;
    while (this.#done < this.#handedOut.length) {
      this.#apply(this.#handedOut[this.#done]!);
      this.#done += 1;
      if (nowMs() >= endMs) break;
    }
    if (this.#done === first) return false;
    const { index } = this.#handedOut[this.#done - 1]!;
    if (this.#done === this.#handedOut.length) this.#forget();
    member.applied(index);
    this.#listeners.reads.applied(index);
    return true;
  }

  /** Meanwhile nothing is applied, and the state before is served: the core hands out no more until it hears of it. */
  restore({ index, term }: SnapshotPoint): Promise<void> {
    this.#forget();
    this.#restoring = this.#restoring.then(async () => {
      const { member, stateMachine, storage } = this.#parts;
      await restoreFrom(await storage.openSnapshot({ index, term }), stateMachine);
      member.applied(index);
      this.#lastTerm = term;
      this.#listeners.proposals.skippedTo(term);
      this.#listeners.reads.applied(index);
    });
    return this.#restoring;
  }

  /** They are applied; or a snapshot has what is left of them. */
  #forget(): void {
    this.#handedOut = [];
    this.#done = 0;
  }

  #apply(entry: Entry): void {
    const { proposals, snapshots } = this.#listeners;
    if (entry.term > this.#lastTerm) {
      this.#lastTerm = entry.term;
      proposals.termApplied(entry.term);
    }
    if (entry.kind === entryKinds.command) this.#applyCommand(entry);
    snapshots.countApplied(entry);
  }

  #applyCommand({ index, term, data }: Entry): void {
    const { proposals } = this.#listeners;
    const { ownId, command } = proposals.open(data);
    const result = this.#parts.stateMachine.apply({ index, term, command });
    if (ownId !== null) proposals.applied(ownId, index, result);
  }
}
