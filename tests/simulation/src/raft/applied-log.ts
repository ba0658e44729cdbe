/** What the group has applied, in order, and when first; with what was asked, by those who know it. */
import type { CommandResult } from '@ringleader/mvcc';
import type { Entry, LogIndex } from '@ringleader/raft';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { decodeProposed } from './replicated-store.js';
import type { LoggedOperation } from './sim-messages.js';

export interface Asked {
  /** 0 where no client asked. */
  readonly requestId: number;
  readonly operation: LoggedOperation;
}

interface Applied {
  readonly entry: Entry;
  /** In simulated time. */
  readonly at: number;
  /** Null for what is no command. */
  readonly result: CommandResult | null;
}

export interface Result extends Asked {
  readonly entry: Entry;
  readonly at: number;
  readonly result: CommandResult;
}

export class AppliedLog {
  readonly #now: () => number;
  readonly #applied: (Applied | undefined)[] = [];
  readonly #asked = new Map<string, Asked>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Of the newest that anybody has applied. */
  get lastIndex(): LogIndex {
    return Math.max(0, this.#applied.length - 1);
  }

  entry(index: LogIndex): Entry | undefined {
    return this.#applied[index]?.entry;
  }

  /** With what came of it where it was applied first: that it is the same everywhere is told by the hashes. */
  add(entry: Entry, result: CommandResult | null): void {
    this.#applied[entry.index] ??= { entry, at: this.#now(), result };
  }

  proposed(proposer: string, id: number, asked: Asked): void {
    this.#asked.set(`${proposer}/${String(id)}`, asked);
  }

  /** All that is no command left out. */
  *results(): Generator<Result, void> {
    for (let index = 1; index <= this.lastIndex; index += 1) {
      const applied = this.#applied[index];
      if (applied === undefined) throw failure(index, 'is applied by nobody, but what is behind it');
      const { entry, at, result } = applied;
      if (result === null) continue;
      const { proposer, id } = decodeProposed(entry.data);
      const asked = this.#asked.get(`${proposer}/${String(id)}`);
      if (asked === undefined) throw failure(index, 'was asked for by nobody');
      yield { ...asked, entry, at, result };
    }
  }
}

function failure(index: LogIndex, what: string): SimulationFailure {
  return new SimulationFailure('state machine safety', `entry ${String(index)} ${what}`);
}
