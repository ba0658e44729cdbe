/**
 * Before a member takes part: who it is, and who the others are. A log that has an identity knows both. An empty one asks
 * the others, if it may found a cluster; else it is a lost disk, and must not vote in the place of the member that it was.
 */
import { join } from 'node:path';
import {
  corruptLog,
  drawMemberId,
  foreignLog,
  type LogIdentity,
  type LogStorage,
  missingLog,
  type RecoveredLog,
} from '@ringleader/log-storage';
import {
  type Foundation,
  Founding,
  type Introduction,
  type MemberId,
  type Seat,
  type Seated,
} from '@ringleader/raft';
import type { RaftNodeEvent } from './raft-events.js';
import type { RaftTransport } from './raft-node.js';

const ASK_EVERY_MS = 200;

/** The operator's word for what an empty log is. */
export type Bootstrap = 'new-cluster' | 'join';

/** What a log is held against. */
export interface LogOwner {
  readonly recovered: RecoveredLog;
  readonly directory: string;
  readonly cluster: string;
  readonly seat: Seat;
  readonly seats: readonly Seat[];
  readonly bootstrap: Bootstrap | null;
}

export interface GroupSearch extends LogOwner {
  readonly storage: LogStorage;
  readonly transport: RaftTransport;
  readonly onEvent: (event: RaftNodeEvent) => void;
}

export interface FoundGroup {
  readonly id: MemberId;
  /** None where it has joined, or is to join, a group that others founded: who is in it comes with the log. */
  readonly founders: readonly Seated[];
}

/** Throws LOG_MISSING and LOG_FOREIGN; waits for the other founders as long as it takes. */
export async function findGroup(search: GroupSearch): Promise<FoundGroup> {
  const { storage, recovered } = search;
  const identity = identityOf(search);
  if (identity !== recovered.identity) await storage.saveIdentity(identity);
  const { cluster, seat, id } = identity;
  if (identity.founders !== null && identity.isBegun) return { id, founders: identity.founders };
  const founding = new Founding({ seat, id }, search.seats, identity);
  const save = (foundation: Foundation): Promise<void> =>
    storage.saveIdentity({ cluster, seat, id, ...foundation });
  const table = new FoundingTable(founding, search, save);
  return { id, founders: await table.founders() };
}

/** Needs nobody else. Throws LOG_MISSING, LOG_CORRUPT and LOG_FOREIGN. */
export function identityOf(owner: LogOwner): LogIdentity {
  const known = owner.recovered.identity;
  if (known !== null) checkOwner(known, owner);
  // Who has agreed with nobody on founders has promised nothing: it may join instead, as somebody else.
  const isNobody = known === null || (known.founders === null && owner.bootstrap === 'join');
  return isNobody ? newIdentity(owner) : known;
}

function newIdentity({ recovered, directory, cluster, seat, seats, bootstrap }: LogOwner): LogIdentity {
  const { wantsIdentity, hardState, snapshot, entries } = recovered;
  if (hardState.term > 0 || snapshot.index > 0 || entries.length > 0) {
    // As another member it would be heard by nobody, or vote twice.
    if (wantsIdentity) {
      const reason = 'it is not there, and the log beside it is that of a member with an id';
      throw corruptLog({ file: join(directory, 'identity'), offset: 0, reason });
    }
    // Written before members had ids of their own: they were known by their seats, and these remain their ids.
    return { cluster, seat, id: seat, founders: seats.map((id) => ({ seat: id, id })), isBegun: true };
  }
  if (bootstrap === 'join') return { cluster, seat, id: drawMemberId(), founders: [], isBegun: true };
  if (bootstrap === null) {
    const reason = `it is empty, and coordinator ${String(seat)} was told neither to found a new cluster (RINGLEADER_BOOTSTRAP=new-cluster) nor to join one (RINGLEADER_BOOTSTRAP=join)`;
    throw missingLog(directory, reason, { seat });
  }
  return { cluster, seat, id: drawMemberId(), founders: null, isBegun: false };
}

function checkOwner({ cluster, seat, founders, isBegun }: LogIdentity, owner: LogOwner): void {
  const { directory } = owner;
  if (cluster !== owner.cluster || seat !== owner.seat) {
    const own = `coordinator ${String(seat)} of the cluster ${cluster}`;
    throw foreignLog(
      directory,
      `it is that of ${own}, not of coordinator ${String(owner.seat)} of ${owner.cluster}`,
    );
  }
  // A group that has begun is of the size that its configuration says.
  if (founders === null || isBegun || founders.length === owner.seats.length) return;
  const [is, wanted] = [founders.length, owner.seats.length].map(String) as [string, string];
  throw foreignLog(
    directory,
    `its group has ${is} members, not ${wanted} (RINGLEADER_COORDINATOR_COUNT=${is})`,
  );
}

/** Where founders meet: asks until everybody is there, and writes down what is agreed before it is told. */
class FoundingTable {
  #isWriting = false;
  #missing = '';
  #settle!: { resolve: (founders: readonly Seated[]) => void; reject: (error: unknown) => void };

  constructor(
    private readonly founding: Founding,
    private readonly search: GroupSearch,
    private readonly save: (foundation: Foundation) => Promise<void>,
  ) {}

  async founders(): Promise<readonly Seated[]> {
    const { transport, onEvent } = this.search;
    const ended = new Promise<readonly Seated[]>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    transport.receive({
      messages: () => undefined,
      introduction: (heard) => this.#hear(heard),
      malformed: (reason) => onEvent({ kind: 'frameRefused', reason }),
    });
    const timer = setInterval(() => this.#introduce(), ASK_EVERY_MS);
    try {
      this.#introduce();
      this.#advance();
      return await ended;
    } finally {
      clearInterval(timer);
    }
  }

  #hear(heard: Introduction): void {
    this.founding.receive(heard);
    if (heard.isQuestion) this.search.transport.introduce(heard.seat, this.founding.introduction(false));
    this.#advance();
  }

  #introduce(): void {
    if (this.founding.state.kind !== 'waiting') return;
    for (const seat of this.search.seats) {
      if (seat !== this.search.seat) this.search.transport.introduce(seat, this.founding.introduction(true));
    }
  }

  #advance(): void {
    const { toWrite, state } = this.founding;
    if (state.kind === 'begun') this.#settle.resolve(state.founders);
    else if (state.kind !== 'waiting') this.#settle.reject(this.#refusal(state));
    else if (toWrite !== null) this.#write(toWrite);
    else this.#tellWhoIsMissing(state.seats);
  }

  #write(foundation: Foundation): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.save(foundation).then(
      () => {
        this.#isWriting = false;
        this.founding.written(foundation);
        this.#introduce();
        this.#advance();
      },
      (error: unknown) => this.#settle.reject(error),
    );
  }

  #tellWhoIsMissing(seats: readonly Seat[]): void {
    if (seats.join() === this.#missing) return;
    this.#missing = seats.join();
    this.search.onEvent({ kind: 'foundersAwaited', seats });
  }

  #refusal(state: Exclude<Founding['state'], { kind: 'begun' | 'waiting' }>): Error {
    const { directory, seat } = this.search;
    const [self, other] = [`coordinator ${String(seat)}`, `coordinator ${String(state.by)}`];
    if (state.kind === 'replaced') {
      const reason = `${other} knows ${self} as the member ${String(state.knownId)}, whose log was in its place`;
      return missingLog(directory, reason, { seat, knownBy: state.by, knownId: state.knownId });
    }
    const reason = `a disk was lost while ${self} and ${other} founded the cluster, which has never begun`;
    return missingLog(directory, reason, { seat, knownBy: state.by });
  }
}
