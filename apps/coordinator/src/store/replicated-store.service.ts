import { Injectable } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import { encodeCommand } from '@ringleader/mvcc';
import type { Command, CommandResult, MvccStore, StoreRevision } from '@ringleader/mvcc';
import { Histogram, Registry } from '@ringleader/observability';
import { CoordinatorRaft } from '../raft/raft-node.js';
import type { LeadershipChange, RaftStatus } from '../raft/raft-node.js';
import { StoreStateMachine } from './store-state-machine.js';
import type { StoreListener } from './store-state-machine.js';

/** Sooner than a client gives a member up, so that the client hears what happened instead of nothing. */
const PROPOSAL_TIMEOUT_MS = 2_500;
const BARRIER_TIMEOUT_MS = 800;
const COMMIT_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const MS_PER_SECOND = 1_000;
/** Beyond this a majority is slower than its clients, and waiting longer would only make it slower. */
const PROPOSALS_IN_FLIGHT_MAX = 1_024;

/** Each member forgets as many in one go, in some hundredths of a second: a leader that takes long is one no more. */
const COMPACTED_AT_ONCE = 10_000;

/** The store as the group has it: Raft and its state machine behind one face, with Raft's outcomes as operational errors. */
@Injectable()
export class ReplicatedStore {
  #proposalsInFlight = 0;
  #requestsTotal = 0;
  readonly #commitSeconds: Histogram;

  constructor(
    private readonly raft: CoordinatorRaft,
    private readonly machine: StoreStateMachine,
    registry: Registry,
  ) {
    this.#commitSeconds = new Histogram({
      name: 'ringleader_coordinator_commit_seconds',
      help: 'From a proposal to its being applied here',
      buckets: COMMIT_SECONDS,
      registers: [registry],
    });
  }

  /** What this member has applied. Not to be kept: a restored snapshot replaces it. */
  get local(): MvccStore {
    return this.machine.store;
  }

  status(): RaftStatus {
    return this.raft.status();
  }

  /** Called after every command that this member applies. Returns the way to unsubscribe. */
  onChange(listener: StoreListener): () => void {
    return this.machine.onChange(listener);
  }

  /** Called at once, and at every change of who leads. Returns the way to unsubscribe. */
  onLeadership(listener: (change: LeadershipChange) => void): () => void {
    return this.raft.onLeadership(listener);
  }

  get proposalsInFlight(): number {
    return this.#proposalsInFlight;
  }

  get requestsTotal(): number {
    return this.#requestsTotal;
  }

  /** Throws UNAVAILABLE, OVERLOADED or DISK_FULL when certainly nothing was or will be done, OUTCOME_UNKNOWN otherwise. */
  async propose(command: Command): Promise<CommandResult> {
    if (this.#proposalsInFlight >= PROPOSALS_IN_FLIGHT_MAX) {
      throw new OperationalError('OVERLOADED', 'Too many writes wait for a majority of the coordinators', {
        inFlightMax: PROPOSALS_IN_FLIGHT_MAX,
      });
    }
    this.#proposalsInFlight += 1;
    this.#requestsTotal += 1;
    const startedAt = performance.now();
    try {
      const outcome = await this.raft.propose(encodeCommand(command), PROPOSAL_TIMEOUT_MS);
      if (outcome.kind === 'applied') {
        this.#commitSeconds.observe((performance.now() - startedAt) / MS_PER_SECOND);
        return outcome.result;
      }
      throw outcome.kind === 'diskFull' ? diskFull(this.raft.status()) : ERRORS[outcome.kind]();
    } finally {
      this.#proposalsInFlight -= 1;
    }
  }

  /** In as many commands as it takes. The result is that of the last; a failure may come when some are done. */
  async compact(revision: StoreRevision): Promise<CommandResult> {
    if (revision > this.local.revision) await this.readBarrier();
    for (;;) {
      const { local } = this;
      // What is yet to come is for the store to refuse, and nothing is to be forgotten before.
      const step = revision > local.revision ? revision : local.compactionStep(revision, COMPACTED_AT_ONCE);
      const result = await this.propose({ kind: 'compact', revision: step });
      if (step === revision) return result;
      // A step that somebody else was ahead of is none less.
    }
  }

  /** After this the local store has every write that was acknowledged before the call. */
  async readBarrier(): Promise<void> {
    this.#requestsTotal += 1;
    if (!(await this.keepsUp())) throw unavailable();
  }

  /** Whether this member comes to have all that is committed by now, in as much time as a read has. */
  async keepsUp(): Promise<boolean> {
    const outcome = await this.raft.readBarrier(BARRIER_TIMEOUT_MS);
    return outcome.kind === 'ready';
  }
}

export function unavailable(): OperationalError {
  return new OperationalError('UNAVAILABLE', 'No majority of the coordinators could be reached');
}

const ERRORS = { unavailable, outcomeUnknown };

/** Whether another member may have room the leader knows. */
function diskFull({ isMajorityFull }: RaftStatus): OperationalError {
  return new OperationalError(
    'DISK_FULL',
    'The disks of the coordinators have no room for it: nothing was written, and reads go on',
    { isMajorityFull },
  );
}

function outcomeUnknown(): OperationalError {
  return new OperationalError(
    'OUTCOME_UNKNOWN',
    'A majority of the coordinators did not confirm the write in time',
  );
}
