import type { CommandResult } from '@ringleader/mvcc';
import { configurationOf } from '@ringleader/raft';
import type { MemberChangeOutcome } from '../src/raft/group-changes.js';
import { Registry } from '@ringleader/observability';
import type { Clock } from '@ringleader/primitives';
import type {
  LeadershipChange,
  ProposalOutcome,
  RaftGroup,
  RaftNode,
  RaftStatus,
  ReadBarrierOutcome,
} from '../src/raft/raft-node.js';
import { ReplicatedStore } from '../src/store/replicated-store.service.js';
import { StoreStateMachine } from '../src/store/store-state-machine.js';

/** Stands still until the test moves it. */
export class ManualClock implements Clock {
  now = 1_000;
  /** The wall clock shows so much more: it may jump. */
  aheadMs = 0;

  monotonicMs(): number {
    return this.now;
  }

  wallMs(): number {
    return this.now + this.aheadMs;
  }
}

/** Raft as the services see it, without the others: commits at once, and fails on demand. */
export class GroupOfOne implements RaftNode<CommandResult> {
  readonly machine = new StoreStateMachine();
  readonly store = new ReplicatedStore(this, this.machine, new Registry());
  readonly stopped = Promise.resolve();
  /** What the next proposals come to instead of being applied. */
  readonly failures: Exclude<ProposalOutcome<CommandResult>['kind'], 'applied'>[] = [];
  proposals = 0;
  barriers = 0;
  hasQuorum = true;
  isMajorityFull = false;
  #leadership: LeadershipChange = { term: 1, leader: 1, leading: true };
  #index = 0;
  readonly #listeners = new Set<(change: LeadershipChange) => void>();

  lead(change: LeadershipChange): void {
    this.#leadership = change;
    for (const listener of this.#listeners) listener(change);
  }

  async propose(command: Uint8Array): Promise<ProposalOutcome<CommandResult>> {
    this.proposals += 1;
    await Promise.resolve();
    const kind = this.failures.shift();
    if (kind !== undefined) return { kind };
    const index = ++this.#index;
    return {
      kind: 'applied',
      index,
      result: this.machine.apply({ index, term: this.#leadership.term, command }),
    };
  }

  async readBarrier(): Promise<ReadBarrierOutcome> {
    this.barriers += 1;
    await Promise.resolve();
    return this.hasQuorum ? { kind: 'ready', index: this.#index } : { kind: 'unavailable' };
  }

  status(): RaftStatus {
    const { term, leader, leading } = this.#leadership;
    const role = leading ? 'leader' : 'follower';
    const [commitIndex, appliedIndex, lastIndex] = [this.#index, this.#index, this.#index];
    return {
      ...{ seat: 1, seats: [1], term, leader, role, leading },
      ...{ firstIndex: 1, lastIndex, commitIndex, appliedIndex, snapshotIndex: 0 },
      ...{ isDiskFull: false, isMajorityFull: this.isMajorityFull },
    };
  }

  group(): RaftGroup {
    const configuration = configurationOf([{ seat: 1, id: 1 }]);
    const noOthers = { progress: [], applicants: [] };
    const configurations = { configuration, committed: configuration, configurationIndex: 0 };
    return { id: 1, ...configurations, lastIndex: this.#index, ...noOthers };
  }

  changeMembers(): Promise<MemberChangeOutcome> {
    return Promise.resolve({ kind: 'unavailable' });
  }

  onLeadership(listener: (change: LeadershipChange) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#leadership);
    return () => this.#listeners.delete(listener);
  }

  transferLeadership(): Promise<boolean> {
    return Promise.resolve(false);
  }

  stop(): Promise<void> {
    return this.stopped;
  }
}
