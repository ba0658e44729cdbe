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
import { type Host, type NodeId, type Process, SimulationFailure } from '@ringleader/testing-simulation';
import { addressed, type IdentityRules, seatOf } from './identities.js';
import type { Judge } from './judge.js';
import type { MemberDisk } from './member-disk.js';
import type { GroupSettings } from './settings.js';
import type { ClientOperation, MemberAnswer, SimMessage } from './sim-messages.js';
import { decodeCommand, encodeCommand, ReplicatedStore } from './replicated-store.js';

export interface MemberSurroundings {
  readonly settings: GroupSettings;
  readonly rules: RaftRules;
  readonly identities: IdentityRules;
  readonly disk: MemberDisk;
  readonly judge: Judge;
  /** The process is over: its member is removed. */
  end(): void;
}

interface Asker {
  readonly client: NodeId;
  readonly requestId: number;
}

interface PendingRead {
  readonly asker: Asker;
  readonly key: string;
  /** What had been acknowledged when it was asked. */
  readonly floor: number;
  context: number;
  /** Null while it is not known. */
  index: number | null;
}

/** Whoever is no founder knows no group: it has lost its disk, and nobody has told it. */
function foundingView(id: MemberId, members: number): Configuration {
  const founders = Array.from({ length: members }, (_, i) => ({ id: i + 1, seat: i + 1 }));
  return id <= members ? configurationOf(founders) : emptyConfiguration;
}

export class MemberProcess implements Process<SimMessage> {
  readonly core: RaftMember;
  readonly store = new ReplicatedStore();
  readonly #host: Host<SimMessage>;
  readonly #surroundings: MemberSurroundings;
  readonly #name: string;
  readonly #proposals = new Map<number, { readonly asker: Asker; readonly term: number }>();
  #queue: { readonly asker: Asker; readonly operation: ClientOperation & { op: 'append' } }[] = [];
  #reads: PendingRead[] = [];
  #nextProposal = 1;
  #nextContext = 1;
  #isTurnDue = false;
  #ticks = 0;
  #appliedSinceSnapshot = 0;
  #lastAppliedTerm: number;
  #newestSnapshot: Snapshot | null;

  constructor(host: Host<SimMessage>, surroundings: MemberSurroundings) {
    const { settings, rules, disk, identities } = surroundings;
    this.#host = host;
    this.#surroundings = surroundings;
    this.#name = `${String(host.id)}.${String(host.life)}`;
    const id = identities.idOf(host.id, disk.losses);
    const { stored, snapshot } = disk.recover(foundingView(id, settings.members));
    const { timings, limits, lease } = settings;
    this.core = new RaftMember(
      raftConfig({ id, random: host.prng }, { timings, limits, rules, lease }),
      stored,
    );
    if (snapshot !== null) this.store.restore(snapshot.chunks.map(chunkBytes));
    this.#newestSnapshot = snapshot;
    this.#lastAppliedTerm = stored.base.point.term;
    this.#tickFromNowOn();
  }

  receive(from: NodeId, message: SimMessage): void {
    if (message.kind === 'raft') this.#step(message.frame);
    else if (message.kind === 'request')
      this.#take({ client: from, requestId: message.requestId }, message.operation);
    this.#requestTurn();
  }

  crashed(): void {
    this.#surroundings.disk.crash();
  }

  change(change: Change): void {
    this.core.changeConfiguration(change);
    this.#surroundings.judge.membership.looksAt(this.core);
    this.#requestTurn();
  }

  handOver(): void {
    this.core.transferLeadership();
    this.#requestTurn();
  }

  #step(frame: Uint8Array): void {
    const decoded = decodeFrame(frame);
    if (decoded.kind !== 'messages')
      throw new SimulationFailure('codec', `a frame of messages is ${decoded.kind}`);
    const { identities } = this.#surroundings;
    const { id } = this.core.status();
    for (const message of decoded.messages) {
      this.core.step({ ...message, to: identities.fromWire(message.to, id) });
    }
  }

  #send(message: Message): void {
    const named = addressed(message, this.#surroundings.identities.toWire);
    for (const frame of encodeFrames([named], 1))
      this.#host.send(seatOf(message.to), { kind: 'raft', frame });
  }

  #take(asker: Asker, operation: ClientOperation): void {
    if (operation.op === 'append') {
      this.#queue.push({ asker, operation });
      return;
    }
    const floor = this.#surroundings.judge.acknowledgedUpTo;
    this.#reads.push({ asker, key: operation.key, floor, context: 0, index: null });
  }

  #tickFromNowOn(): void {
    this.#host.after(this.#surroundings.settings.tickMs, () => {
      this.#tickFromNowOn();
      this.core.tick();
      this.#ticks += 1;
      // Questions and their answers may be lost: ask again.
      if (this.#ticks % 4 === 0) for (const read of this.#reads) if (read.index === null) read.context = 0;
      this.#requestTurn();
    });
  }

  #requestTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#host.after(this.#host.prng.nextFloat() * this.#surroundings.settings.turnMs, () => {
      this.#isTurnDue = false;
      this.#propose();
      this.#askToRead();
      this.#carryOut(
        this.core.takeReady(this.#surroundings.settings.lease === null ? null : this.#host.monotonicMs()),
      );
    });
  }

  #propose(): void {
    for (const { asker, operation } of this.#queue.splice(0)) {
      const id = this.#nextProposal;
      this.#nextProposal += 1;
      const data = encodeCommand({ proposer: this.#name, id, operation });
      const result = this.core.propose([{ id, data }]);
      if (result.kind === 'refused') this.#answer(asker, { kind: 'unavailable' });
      else this.#proposals.set(id, { asker, term: result.term });
    }
  }

  #askToRead(): void {
    const unasked = this.#reads.filter((read) => read.context === 0);
    if (unasked.length === 0 || !this.core.requestRead(this.#nextContext)) return;
    for (const read of unasked) read.context = this.#nextContext;
    this.#nextContext += 1;
  }

  #carryOut(ready: Ready): void {
    this.#surroundings.judge.turned(this.core, ready);
    if (ready.persist !== null) this.#persist(ready.persist);
    for (const message of ready.messages) this.#send(message);
    if (ready.restore !== null) this.#restore(ready.restore);
    this.#apply(ready.committed);
    for (const { context, index } of ready.reads) this.#mayRead(context, index);
    this.#answerReads();
    for (const id of ready.refused) this.#settle(id, { kind: 'unavailable' });
    if (ready.snapshotWanted && this.#newestSnapshot !== null) {
      this.core.provideSnapshot(this.#newestSnapshot);
      this.#requestTurn();
    }
    if (this.#appliedSinceSnapshot >= this.#surroundings.settings.snapshotEveryEntries) this.#takeSnapshot();
    if (ready.events.some((event) => event.kind === 'removed')) this.#surroundings.end();
  }

  #persist(batch: PersistBatch): void {
    this.#surroundings.disk.write({ kind: 'batch', batch }, () => {
      this.#host.enter(() => {
        if (batch.snapshot !== null) this.#newestSnapshot = batch.snapshot;
        this.core.persisted(batch.id);
        this.#requestTurn();
      });
    });
  }

  #restore(snapshot: Snapshot): void {
    this.store.restore(snapshot.chunks.map(chunkBytes));
    this.core.applied(snapshot.index);
    this.#lastAppliedTerm = snapshot.term;
    this.#appliedSinceSnapshot = 0;
    // Whether those are in it nobody here can tell, so that their clients never hear of them.
    for (const [id, { term }] of this.#proposals) if (term <= snapshot.term) this.#proposals.delete(id);
    this.#surroundings.judge.restored(this.#host.id, snapshot, this.store);
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#surroundings.judge.applies(this.#host.id, entry);
      this.#noteTerm(entry.term);
      if (entry.kind === entryKinds.command) this.#applyCommand(entry);
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

  #applyCommand(entry: Entry): void {
    const { proposer, id, operation } = decodeCommand(entry.data);
    this.store.apply(operation, entry.term);
    if (proposer !== this.#name || !this.#proposals.has(id)) return;
    this.#surroundings.judge.acknowledges(this.core, entry);
    this.#settle(id, { kind: 'appended' });
  }

  #mayRead(context: number, index: number): void {
    for (const read of this.#reads) {
      if (read.context > 0 && read.context <= context && read.index === null) read.index = index;
    }
  }

  #answerReads(): void {
    const { appliedIndex } = this.core.status();
    const isReady = ({ index }: PendingRead): boolean => index !== null && index <= appliedIndex;
    const ready = this.#reads.filter(isReady);
    this.#reads = this.#reads.filter((read) => !isReady(read));
    for (const { asker, key, floor } of ready) {
      this.#surroundings.judge.reads(this.#host.id, appliedIndex, floor);
      this.#answer(asker, { kind: 'value', value: this.store.get(key) });
    }
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
    disk.write({ kind: 'snapshot', snapshot }, () => {
      this.#host.enter(() => {
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
    this.#answer(proposal.asker, answer);
  }

  #answer({ client, requestId }: Asker, answer: MemberAnswer): void {
    this.#host.send(client, { kind: 'answer', requestId, answer });
  }
}
