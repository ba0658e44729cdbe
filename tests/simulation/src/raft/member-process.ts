/**
 * Drives one RaftMember as the coordinator's shell does: all inputs of a turn, then one Ready; one batch at a time on its way
 * to the disk. Whatever it does is shown to the judge.
 */
import {
  type Change,
  chunkBytes,
  type Configuration,
  configurationOf,
  decodeFrame,
  emptyConfiguration,
  encodeFrames,
  type Entry,
  entryKinds,
  type MemberId,
  type Message,
  type PersistBatch,
  raftConfig,
  RaftMember,
  type RaftRules,
  type Ready,
  type Snapshot,
} from '@ringleader/raft';
import type { CommandResult, LeaseId, RangeQuery, WatchQuery } from '@ringleader/mvcc';
import { MalformedBytesError } from '@ringleader/primitives';
import { type Host, type NodeId, type Process, SimulationFailure } from '@ringleader/testing-simulation';
import { addressed, type IdentityRules, seatOf } from './identities.js';
import type { Judge } from './judge.js';
import { LeaderWatch } from './leader-watch.js';
import type { MemberDisk } from './member-disk.js';
import type { GroupSettings } from './settings.js';
import type { DataRules } from './data/data-rules.js';
import { LeaseKeeper } from './data/lease-keeper.js';
import { Pusher } from './data/pusher.js';
import { PendingReads } from './reads.js';
import type {
  ClientOperation,
  LoggedOperation,
  MemberAnswer,
  ReadOperation,
  SimMessage,
} from './sim-messages.js';
import { decodeProposed, encodeProposed, ReplicatedStore } from './replicated-store.js';

export interface MemberSurroundings {
  readonly settings: GroupSettings;
  readonly rules: RaftRules;
  readonly identities: IdentityRules;
  readonly dataRules: DataRules;
  readonly disk: MemberDisk;
  readonly judge: Judge;
  /** Whether its process runs. */
  isThere(member: MemberId): boolean;
  /** The process is over: its member is removed. */
  end(): void;
  /** The process is over: it cannot tell what its disk has. Another one can. */
  restart(): void;
}

/** So often the states of members are compared. */
const hashEveryEntries = 8;

type Answered = (answer: MemberAnswer) => void;

/** Whoever is no founder knows no group: it has lost its disk, and nobody has told it. */
function foundingView(id: MemberId, members: number): Configuration {
  const founders = Array.from({ length: members }, (_, i) => ({ id: i + 1, seat: i + 1 }));
  return id <= members ? configurationOf(founders) : emptyConfiguration;
}

export class MemberProcess implements Process<SimMessage> {
  readonly core: RaftMember;
  readonly store: ReplicatedStore;
  readonly #host: Host<SimMessage>;
  readonly #surroundings: MemberSurroundings;
  readonly #name: string;
  readonly #id: MemberId;
  readonly #reads: PendingReads;
  readonly #leases: LeaseKeeper;
  readonly #pusher: Pusher;
  readonly #leaderWatch: LeaderWatch;
  readonly #proposals = new Map<number, { readonly answered: Answered; readonly term: number }>();
  #queue: { readonly operation: LoggedOperation; readonly requestId: number; readonly answered: Answered }[] =
    [];
  #nextProposal = 1;
  #isTurnDue = false;
  #isDiskFull = false;
  #ticks = 0;
  #appliedSinceSnapshot = 0;
  #lastAppliedTerm: number;
  #newestSnapshot: Snapshot | null;
  readonly #toRestore: Snapshot[] = [];

  constructor(host: Host<SimMessage>, surroundings: MemberSurroundings) {
    const { settings, rules, disk, identities } = surroundings;
    this.#host = host;
    this.#surroundings = surroundings;
    this.#name = `${String(host.id)}.${String(host.life)}`;
    const id = identities.idOf(host.id, disk.losses);
    this.#id = id;
    const { stored, snapshot } = disk.recover(foundingView(id, settings.members));
    const { timings, limits, lease } = settings;
    this.core = new RaftMember(
      raftConfig({ id, random: host.prng }, { timings, limits, rules, lease }),
      stored,
    );
    this.store = new ReplicatedStore(surroundings.dataRules, settings.compactsItself);
    if (snapshot !== null) this.#restoreStore(snapshot);
    this.#reads = new PendingReads(this.core, surroundings.judge, host.id);
    this.#leaderWatch = new LeaderWatch(host, this.core, (member) => surroundings.isThere(member));
    this.#pusher = new Pusher(host, this.store, surroundings.dataRules);
    this.#leases = new LeaseKeeper({
      host,
      store: this.store,
      rules: surroundings.dataRules,
      slowMsMax: settings.slowExpiryMsMax,
      propose: (operation, lost) => {
        this.#enqueue(operation, 0, ({ kind }) => {
          if (kind === 'unavailable') lost();
        });
      },
    });
    this.#newestSnapshot = snapshot;
    this.#lastAppliedTerm = stored.base.point.term;
    this.#tickFromNowOn();
  }

  receive(from: NodeId, message: SimMessage): void {
    if (message.kind === 'raft') this.#step(message.frame);
    else if (message.kind === 'request') this.#take(from, message.requestId, message.operation);
    else if (message.kind === 'follow')
      this.#pusher.follow(from, message.stream, message.watched, message.from);
    else if (message.kind === 'leave') this.#pusher.leave(from, message.stream);
    this.#requestTurn();
  }

  crashed(): void {
    this.#surroundings.disk.crash();
  }

  change(change: Change): void {
    this.core.changeConfiguration(change);
    this.#surroundings.judge.membership.looksAt(this.core, this.core.status());
    this.#requestTurn();
  }

  /** Its log could make no segment ahead. */
  findFull(): void {
    this.#isDiskFull = true;
    this.core.setRoom(false);
    this.#requestTurn();
  }

  /** To `to`, whether that can lead or not, or to the most advanced. */
  handOver(to: MemberId | null = null): void {
    this.core.transferLeadership(to);
    this.#requestTurn();
  }

  #step(frame: Uint8Array): void {
    const decoded = decodeFrame(frame);
    if (decoded.kind !== 'messages')
      throw new SimulationFailure('codec', `a frame of messages is ${decoded.kind}`);
    const { identities } = this.#surroundings;
    for (const message of decoded.messages) {
      this.core.step({ ...message, to: identities.fromWire(message.to, this.#id) });
    }
  }

  #send(message: Message): void {
    const named = addressed(message, this.#surroundings.identities.toWire);
    for (const frame of encodeFrames([named], 1))
      this.#host.send(seatOf(message.to), { kind: 'raft', frame });
  }

  #take(client: NodeId, requestId: number, operation: ClientOperation): void {
    const answered = (answer: MemberAnswer): void => {
      this.#host.send(client, { kind: 'answer', requestId, answer });
    };
    if (operation.op === 'append' || operation.op === 'command')
      this.#enqueue(operation, requestId, answered);
    else if (operation.op === 'watch') answered(this.#watch(operation.query));
    else this.#read(operation, answered);
  }

  #enqueue(operation: LoggedOperation, requestId: number, answered: Answered): void {
    this.#queue.push({ operation, requestId, answered });
    this.#requestTurn();
  }

  #read(operation: ReadOperation, answered: Answered): void {
    const { store } = this;
    switch (operation.op) {
      case 'get':
        this.#reads.add(() => {
          answered({ kind: 'value', value: store.get(operation.key) });
        });
        return;
      case 'range':
        this.#reads.add(() => {
          this.#readRange(operation.query, answered);
        });
        return;
      case 'evaluate':
        this.#reads.add(() => {
          answered({ kind: 'result', result: store.store.evaluate(operation.command) });
        });
        return;
      case 'keepAlive':
        this.#keepAlive(operation.lease, answered);
    }
  }

  #readRange(query: RangeQuery, answered: Answered): void {
    const { store } = this;
    this.#surroundings.dataRules.read({
      query,
      readNow: (part) => store.store.range(part),
      later: (run) => {
        this.#host.after(this.#surroundings.settings.tickMs, run);
      },
      done: (outcome) => {
        answered({ kind: 'range', outcome, revision: store.store.revision });
      },
    });
  }

  /** It counts from when it came, if a majority confirms after that that nobody else leads. */
  #keepAlive(lease: LeaseId, answered: Answered): void {
    const { leadership } = this.#leases;
    const receivedAt = this.#host.monotonicMs();
    if (leadership === null) {
      answered({ kind: 'unavailable' });
      return;
    }
    this.#reads.add(() => {
      const isLeading = this.#leases.leadership === leadership;
      answered(
        isLeading ? { kind: 'kept', ttlMs: leadership.renew(lease, receivedAt) } : { kind: 'unavailable' },
      );
    });
  }

  #watch(query: WatchQuery): MemberAnswer {
    const { store } = this.store;
    const outcome = store.watch(query);
    const { revision } = store;
    if (outcome.kind === 'compacted') return { kind: 'watched', outcome, revision };
    const isSynced = this.#surroundings.dataRules.mayTellProgress(outcome.isSynced);
    return { kind: 'watched', outcome: { ...outcome, isSynced }, revision };
  }

  #tickFromNowOn(): void {
    this.#host.after(this.#surroundings.settings.tickMs, () => {
      this.#tickFromNowOn();
      this.core.tick();
      this.#leaderWatch.look();
      this.#ticks += 1;
      if (this.#isDiskFull) this.#lookForRoom();
      if (this.#ticks % 4 === 0) this.#reads.askAgain();
      this.#requestTurn();
    });
  }

  #requestTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#host.after(this.#host.prng.nextFloat() * this.#surroundings.settings.turnMs, () => {
      this.#isTurnDue = false;
      this.#propose();
      this.#reads.ask();
      this.#carryOut(
        this.core.takeReady(this.#surroundings.settings.lease === null ? null : this.#host.monotonicMs()),
      );
    });
  }

  #propose(): void {
    for (const { operation, requestId, answered } of this.#queue.splice(0)) {
      const id = this.#nextProposal;
      this.#nextProposal += 1;
      const data = encodeProposed({ proposer: this.#name, id, operation: this.#toPropose(operation) });
      const result = this.core.propose([{ id, data }]);
      if (result.kind === 'refused') answered({ kind: 'unavailable' });
      else {
        this.#proposals.set(id, { answered, term: result.term });
        this.#surroundings.judge.log.proposed(this.#name, id, { requestId, operation });
      }
    }
  }

  #toPropose(operation: LoggedOperation): LoggedOperation {
    if (operation.op === 'append') return operation;
    return {
      ...operation,
      command: this.#surroundings.dataRules.toPropose(operation.command, this.store.store),
    };
  }

  #carryOut(ready: Ready): void {
    const status = this.core.status();
    this.#surroundings.judge.turned(this.core, ready, status);
    this.#leases.turned(status);
    if (ready.persist !== null) this.#persist(ready.persist);
    for (const message of ready.messages) this.#send(message);
    if (ready.restore !== null) this.#restore(ready.restore);
    this.#apply(ready.committed);
    for (const { context, index } of ready.reads) this.#reads.mayRead(context, index);
    this.#reads.answer();
    for (const id of ready.refused) this.#settle(id, { kind: 'unavailable' });
    if (ready.snapshotWanted && this.#newestSnapshot !== null) {
      this.core.provideSnapshot(this.#newestSnapshot);
      this.#requestTurn();
    }
    if (this.#isSnapshotDue) this.#takeSnapshot();
    if (ready.events.some((event) => event.kind === 'removed')) this.#surroundings.end();
  }

  get #isSnapshotDue(): boolean {
    const { snapshotEveryEntries } = this.#surroundings.settings;
    return this.#appliedSinceSnapshot >= snapshotEveryEntries && !this.#isDiskFull;
  }

  #lookForRoom(): void {
    if (this.#surroundings.disk.isFull) return;
    this.#isDiskFull = false;
    this.core.setRoom(true);
  }

  #persist(batch: PersistBatch): void {
    this.#surroundings.disk.write({ kind: 'batch', batch }, (outcome) => {
      this.#host.enter(() => {
        if (outcome === 'failed') {
          this.#surroundings.restart();
          return;
        }
        if (outcome === 'noRoom') {
          this.#isDiskFull = true;
          this.#persist(this.core.withoutRoom(batch.id));
          return;
        }
        if (batch.snapshot !== null) this.#newestSnapshot = batch.snapshot;
        this.core.persisted(batch.id);
        this.#requestTurn();
      });
    });
  }

  /** One after the other, while turns go on: large ones take their time. */
  #restore(snapshot: Snapshot): void {
    this.#toRestore.push(snapshot);
    if (this.#toRestore.length === 1) this.#restoreNext();
  }

  #restoreNext(): void {
    const [snapshot] = this.#toRestore;
    if (snapshot === undefined) return;
    const restore = (): void => {
      this.#restored(snapshot);
      this.#toRestore.shift();
      this.#requestTurn();
      this.#restoreNext();
    };
    const { restoreMsMax } = this.#surroundings.settings;
    if (restoreMsMax === 0) restore();
    else this.#host.after(this.#host.prng.nextFloat() * restoreMsMax, restore);
  }

  #restored(snapshot: Snapshot): void {
    this.#restoreStore(snapshot);
    this.#pusher.restored();
    this.core.applied(snapshot.index);
    this.#lastAppliedTerm = snapshot.term;
    this.#appliedSinceSnapshot = 0;
    // Whether those are in it nobody here can tell, so that their clients never hear of them.
    for (const [id, { term }] of this.#proposals) if (term <= snapshot.term) this.#proposals.delete(id);
    this.#surroundings.judge.restored(this.#host.id, snapshot, this.store);
  }

  #restoreStore({ index, chunks }: Snapshot): void {
    try {
      this.store.restore(chunks.map(chunkBytes));
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      const what = `member ${String(this.#host.id)} restores a snapshot up to ${String(index)}, but ${error.message}`;
      throw new SimulationFailure('whole snapshots', what);
    }
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#surroundings.judge.applies(this.#host.id, entry);
      this.#noteTerm(entry.term);
      const result = entry.kind === entryKinds.command ? this.#applyCommand(entry) : null;
      this.#pusher.advance();
      this.#surroundings.judge.log.add(entry, result);
      if (entry.index % hashEveryEntries === 0)
        this.#surroundings.judge.stateAt(this.#host.id, entry.index, this.store);
      this.#appliedSinceSnapshot += 1;
    }
    const last = entries.at(-1);
    if (last === undefined) return;
    this.core.applied(last.index);
    this.#requestTurn();
  }

  /** What was proposed in an earlier term and is not applied by now never will be. */
  #noteTerm(term: number): void {
    if (term <= this.#lastAppliedTerm) return;
    this.#lastAppliedTerm = term;
    for (const [id, { term: boundTo }] of this.#proposals) {
      if (boundTo < term) this.#settle(id, { kind: 'unavailable' });
    }
  }

  #applyCommand(entry: Entry): CommandResult {
    const { proposer, id, operation } = decodeProposed(entry.data);
    const result = this.store.apply(operation, entry.term);
    this.#leases.applied(result);
    if (proposer !== this.#name || !this.#proposals.has(id)) return result;
    this.#surroundings.judge.acknowledges(this.core, entry);
    this.#settle(id, operation.op === 'append' ? { kind: 'appended' } : { kind: 'result', result });
    return result;
  }

  #takeSnapshot(): void {
    const { appliedIndex: index } = this.core.status();
    const { settings, disk, identities } = this.#surroundings;
    const term = this.core.termAt(index);
    if (term === null) return;
    this.#appliedSinceSnapshot = 0;
    const founding = foundingView(this.#host.id, settings.members);
    const configuration = identities.inSnapshot(this.core.configurationAt(index), founding);
    const snapshot = { index, term, configuration, chunks: this.store.snapshot(settings.chunkBytes) };
    disk.write({ kind: 'snapshot', snapshot }, (outcome) => {
      this.#host.enter(() => {
        if (outcome === 'failed') {
          this.#surroundings.restart();
          return;
        }
        if (outcome === 'noRoom') {
          this.#appliedSinceSnapshot = settings.snapshotEveryEntries;
          this.findFull();
          return;
        }
        if (snapshot.index > (this.#newestSnapshot?.index ?? 0)) this.#newestSnapshot = snapshot;
        this.core.compact(Math.max(0, index - settings.trailingEntries));
        disk.compact();
        this.#requestTurn();
      });
    });
  }

  #settle(id: number, answer: MemberAnswer): void {
    const proposal = this.#proposals.get(id);
    if (proposal === undefined) return;
    this.#proposals.delete(id);
    proposal.answered(answer);
  }
}
