/** One member of a scenario with its disk: what it does is printed line by line. */
import { seededPrng } from '@ringleader/primitives';
import {
  chunkBytes,
  type Configuration,
  emptyStoredState,
  type Entry,
  entryKinds,
  type Message,
  type PersistBatch,
  raftConfig,
  RaftMember,
  type RaftLimits,
  type RaftRules,
  soundRules,
  type Ready,
  type Snapshot,
  type StoredState,
} from '../src/index.js';
import { describeEntries, describeEntry, describeEvent } from './describe.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface MemberOptions {
  readonly id: number;
  /** On its disk from the start. */
  readonly configuration: Configuration;
  readonly limits: RaftLimits;
  readonly rules?: RaftRules;
  readonly print: (line: string) => void;
  readonly send: (messages: readonly Message[]) => void;
}

export class ScenarioMember {
  readonly #options: MemberOptions;
  #core: RaftMember | null;
  #stored: StoredState;
  #snapshot: Snapshot | null = null;
  /** The state machine: all commands applied. */
  #state: string[] = [];
  #batchInFlight: PersistBatch | null = null;
  #nextProposal = 1;
  #nextContext = 1;
  isDiskStopped = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#stored = emptyStoredState(options.configuration);
    this.#core = this.#newCore();
  }

  get core(): RaftMember {
    if (this.#core === null) throw new Error(`member ${String(this.#options.id)} is down`);
    return this.#core;
  }
  get isUp(): boolean {
    return this.#core !== null;
  }
  get state(): string {
    return this.#state.join(' ');
  }
  get stored(): StoredState {
    return this.#stored;
  }

  /** Loses what is not on the disk. */
  crash(): void {
    this.#core = null;
    this.#batchInFlight = null;
  }
  restart(): void {
    this.#state = this.#snapshot === null ? [] : readState(this.#snapshot);
    this.#core = this.#newCore();
  }

  propose(texts: readonly string[]): void {
    const proposals = texts.map((text) => ({ id: this.#nextProposal++, data: encoder.encode(text) }));
    const result = this.core.propose(proposals);
    if (result.kind === 'refused') this.#print(`refuses: ${result.reason}`);
  }
  read(): void {
    const context = this.#nextContext++;
    if (!this.core.requestRead(context)) this.#print('knows nobody to ask');
  }
  takeSnapshot(keep: number): void {
    const { appliedIndex: index } = this.core.status();
    const term = this.core.termAt(index);
    // The log has given way to a snapshot of the leader's, which is not applied yet.
    if (term === null) return;
    // One command per chunk, so that there are several.
    const chunks = this.#state.map((text) => encoder.encode(text));
    const configuration = this.core.configurationAt(index);
    this.#snapshot = { index, term, configuration, chunks: chunks.length > 0 ? chunks : [new Uint8Array()] };
    const entries = this.#stored.entries.filter((entry) => entry.index > index);
    this.#stored = { ...this.#stored, base: { point: { index, term }, configuration }, entries };
    this.core.compact(index - keep);
  }

  /** One turn. True if anything came out. */
  turn(): boolean {
    if (this.#core === null) return false;
    const ready = this.#core.takeReady();
    for (const event of ready.events) this.#print(describeEvent(event));
    if (ready.persist !== null) this.#batchInFlight = ready.persist;
    this.#options.send(ready.messages);
    this.#applyAll(ready);
    for (const { context, index } of ready.reads) {
      this.#print(`may answer read ${String(context)} at ${String(index)}`);
    }
    for (const id of ready.refused) this.#print(`hears that proposal #${String(id)} is refused`);
    const isProvided = ready.snapshotWanted && this.#snapshot !== null;
    if (isProvided) this.#core.provideSnapshot(this.#snapshot!);
    return this.#write() || isProvided || !isEmpty(ready);
  }

  #write(): boolean {
    const batch = this.#batchInFlight;
    if (batch === null || this.isDiskStopped) return false;
    this.#batchInFlight = null;
    const { hardState, entries, snapshot } = batch;
    if (snapshot !== null) this.#install(snapshot);
    const first = entries[0]?.index ?? Number.POSITIVE_INFINITY;
    const kept = this.#stored.entries.filter((entry) => entry.index < first);
    this.#stored = { ...this.#stored, hardState, entries: [...kept, ...entries] };
    const what = entries.length > 0 ? ` ${describeEntries(entries)}` : '';
    this.#print(`writes term=${String(hardState.term)} vote=${String(hardState.vote)}${what}`);
    this.core.persisted(batch.id);
    return true;
  }

  #install(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    const { index, term, configuration } = snapshot;
    this.#stored = { ...this.#stored, base: { point: { index, term }, configuration }, entries: [] };
  }

  #applyAll(ready: Ready): void {
    if (ready.restore !== null) {
      this.#state = readState(ready.restore);
      this.core.applied(ready.restore.index);
      this.#print(`restores the state at ${String(ready.restore.index)}`);
    }
    for (const entry of ready.committed) this.#apply(entry);
    const last = ready.committed.at(-1);
    if (last !== undefined) this.core.applied(last.index);
  }

  #apply(entry: Entry): void {
    this.#print(`applies ${describeEntry(entry)}`);
    if (entry.kind === entryKinds.command) this.#state.push(decoder.decode(entry.data));
  }

  #newCore(): RaftMember {
    const { id, limits, rules = soundRules } = this.#options;
    return new RaftMember(raftConfig({ id, random: seededPrng(id) }, { limits, rules }), this.#stored);
  }
  #print(line: string): void {
    this.#options.print(`${String(this.#options.id)} ${line}`);
  }
}

function readState({ chunks }: Snapshot): string[] {
  return chunks.map((chunk) => decoder.decode(chunkBytes(chunk))).filter((text) => text.length > 0);
}

function isEmpty(ready: Ready): boolean {
  const { persist, messages, restore, committed, reads, refused, events } = ready;
  const lists = [messages, committed, reads, refused, events];
  return persist === null && restore === null && lists.every((list) => list.length === 0);
}
