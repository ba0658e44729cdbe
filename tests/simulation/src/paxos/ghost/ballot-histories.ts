/**
 * Which write each leader gave which revision, gathered from everything that shards send and store.
 * A ballot's history is that of the position it adopted, and what its leader appended.
 */
import type { Judge } from '@ringleader/testing-simulation';
import type { Position, Row } from '@ringleader/paxos';
import type { Ballot, Epoch, Revision, ShardOrdinal } from '@ringleader/primitives';
import { fail } from '../checks.js';
import { describeRow, fingerprintOf } from '../fingerprint.js';

export interface Numbered {
  readonly revision: Revision;
  readonly key: string;
  /** Null where the leader wrote of its own accord. */
  readonly requestId: string | null;
  readonly version: number;
  /** Null where a later write of the same batch took its place before anybody saw it. */
  readonly row: Row | null;
}

interface BallotHistory {
  readonly epoch: Epoch;
  readonly owner: string;
  adopted: Position | null;
  readonly entries: Map<Revision, Numbered>;
}

const BALLOT_ORDINALS = 65_536;

export class BallotHistories {
  readonly #ballots = new Map<Ballot, BallotHistory>();
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** One leader per ballot: one shard, in one of its lives, in one epoch. */
  noteLeadership(ballot: Ballot, epoch: Epoch, shard: ShardOrdinal, life: number): void {
    const owner = `shard ${String(shard)} in life ${String(life)}`;
    const known = this.#ballots.get(ballot);
    if (known === undefined) {
      this.#ballots.set(ballot, { epoch, owner, adopted: null, entries: new Map() });
    }
    this.#judge.check(() => {
      if (known === undefined && ballot % BALLOT_ORDINALS !== shard) {
        fail('one leader per ballot', `${owner} uses ballot ${String(ballot)}`);
      }
      if (known !== undefined && (known.owner !== owner || known.epoch !== epoch)) {
        fail('one leader per ballot', `ballot ${String(ballot)} of ${known.owner} is used by ${owner}`);
      }
    });
  }

  epochOf(ballot: Ballot): Epoch | null {
    return this.#ballots.get(ballot)?.epoch ?? null;
  }

  noteAdopted(ballot: Ballot, position: Position): void {
    const history = this.#ballots.get(ballot);
    if (history === undefined) return;
    const known = history.adopted;
    this.#judge.check(() => {
      if (known !== null && (known.ballot !== position.ballot || known.revision !== position.revision)) {
        fail('log matching', `ballot ${String(ballot)} adopted ${text(known)} and ${text(position)}`);
      }
    });
    history.adopted = position;
    for (const [revision, entry] of history.entries) {
      if (revision <= position.revision) this.#compare(ballot, entry, this.find(position.ballot, revision));
    }
  }

  adoptedBy(ballot: Ballot): Position | null {
    return this.#ballots.get(ballot)?.adopted ?? null;
  }

  /** Rows of the ballot's history, with what their request marks say of earlier writes. */
  noteRows(ballot: Ballot, rows: readonly Row[]): void {
    const history = this.#ballots.get(ballot);
    if (history === undefined) return;
    for (const row of rows) {
      for (const mark of row.requests) {
        const own = mark.revision === row.revision;
        this.#note(ballot, history, {
          revision: mark.revision,
          key: row.key,
          requestId: mark.id,
          version: mark.version,
          row: own ? row : null,
        });
      }
      if (![...row.requests].some((mark) => mark.revision === row.revision)) {
        const { revision, key, version } = row;
        this.#note(ballot, history, { revision, key, requestId: null, version, row });
      }
    }
  }

  find(ballot: Ballot, revision: Revision): Numbered | null {
    let at: Ballot = ballot;
    for (;;) {
      const history = this.#ballots.get(at);
      if (history === undefined) return null;
      const found = history.entries.get(revision);
      if (found !== undefined) return found;
      if (history.adopted === null || revision > history.adopted.revision) return null;
      at = history.adopted.ballot;
    }
  }

  #note(ballot: Ballot, history: BallotHistory, entry: Numbered): void {
    const known = history.entries.get(entry.revision);
    if (known === undefined) {
      if (history.adopted !== null && entry.revision <= history.adopted.revision) {
        this.#compare(ballot, entry, this.find(history.adopted.ballot, entry.revision));
      }
      history.entries.set(entry.revision, entry);
      return;
    }
    this.#compare(ballot, entry, known);
    if (known.row === null && entry.row !== null) history.entries.set(entry.revision, entry);
  }

  #compare(ballot: Ballot, entry: Numbered, known: Numbered | null): void {
    this.#judge.check(() => {
      if (known === null || sameWrite(entry, known)) return;
      fail(
        'log matching',
        `in the history of ballot ${String(ballot)} revision ${String(entry.revision)} is both ` +
          `${describe(known)} and ${describe(entry)}`,
      );
    });
  }
}

export function sameWrite(a: Numbered, b: Numbered): boolean {
  if (a.key !== b.key || a.requestId !== b.requestId || a.version !== b.version) return false;
  return a.row === null || b.row === null || fingerprintOf(a.row) === fingerprintOf(b.row);
}

export function describe(entry: Numbered): string {
  return entry.row === null ? `${entry.key} by ${entry.requestId ?? 'the leader'}` : describeRow(entry.row);
}

function text(position: Position): string {
  return `(${String(position.ballot)}, ${String(position.revision)})`;
}
