/**
 * Watchers that go from member to member and resume where they are: after every few events, after an answer that did not come,
 * and after a compaction behind what is gone. Each writes down what it is given and told; `watch-check.ts` judges that.
 */
import type { StoreRevision, WatchEvent, WatchOutcome, WatchPosition } from '@ringleader/mvcc';
import type { MemberId, Prng } from '@ringleader/primitives';
import type { Host, NodeId, Process } from '@ringleader/testing-simulation';
import type { SimMessage, Watched } from '../sim-messages.js';
import type { DataRules } from './data-rules.js';
import { Workload } from './workload.js';

export type Mark =
  /** Nothing before is owed. */
  | { readonly kind: 'start'; readonly revision: StoreRevision }
  | { readonly kind: 'events'; readonly events: readonly WatchEvent[] }
  /** All before has come, is said. */
  | { readonly kind: 'at'; readonly position: WatchPosition }
  /** All up to this revision has come, is said. */
  | { readonly kind: 'progress'; readonly revision: StoreRevision }
  | { readonly kind: 'compacted'; readonly from: StoreRevision; readonly compacted: StoreRevision };

export interface Watcher {
  readonly watched: Watched;
  readonly marks: Mark[];
  member: MemberId;
  position: WatchPosition;
}

const thinkMsMax = 60;
/** Where there was something there may be more. */
const hurryMs = 2;
const timeoutMs = 80;
const eventsMax = 3;
const sizeBytesMax = 200;

export interface WatchersParts {
  readonly count: number;
  readonly members: readonly MemberId[];
  readonly rules: DataRules;
}

export class WatchersProcess implements Process<SimMessage> {
  readonly watchers: readonly Watcher[];
  readonly #host: Host<SimMessage>;
  readonly #parts: WatchersParts;
  readonly #open = new Map<number, (outcome: WatchOutcome, revision: StoreRevision) => void>();
  #members: readonly MemberId[];
  #nextRequest = 1;

  constructor(host: Host<SimMessage>, parts: WatchersParts) {
    this.#host = host;
    this.#parts = parts;
    this.#members = parts.members;
    const workload = new Workload(host.prng, { ttlMinMs: 0, ttlSpreadMs: 0, renewals: 0, namesakes: 0 });
    this.watchers = Array.from({ length: parts.count }, () => this.#newWatcher(workload));
    for (const watcher of this.watchers) this.#think(watcher);
  }

  receive(_from: NodeId, message: SimMessage): void {
    if (message.kind !== 'answer' || message.answer.kind !== 'watched') return;
    const { outcome, revision } = message.answer;
    this.#open.get(message.requestId)?.(outcome, revision);
  }

  /** They know who is in the group. */
  goOnlyTo(members: readonly MemberId[]): void {
    this.#members = members;
    for (const watcher of this.watchers) if (!members.includes(watcher.member)) this.#move(watcher);
  }

  haveSeen(revision: StoreRevision): boolean {
    return this.watchers.every(({ position }) => position.revision > revision);
  }

  get #prng(): Prng {
    return this.#host.prng;
  }

  #newWatcher(workload: Workload): Watcher {
    const isOneIn = (count: number): boolean => this.#prng.nextBelow(count) === 0;
    const watched = {
      ...workload.range(),
      noPuts: isOneIn(6),
      noDeletes: isOneIn(6),
      wantsPrevious: isOneIn(2),
    };
    const marks: Mark[] = [{ kind: 'start', revision: 1 }];
    return { watched, marks, member: this.#anyMember(), position: { revision: 1, skip: 0 } };
  }

  #think(watcher: Watcher, longestMs = thinkMsMax): void {
    this.#host.after(this.#prng.nextFloat() * longestMs, () => {
      this.#ask(watcher);
    });
  }

  #ask(watcher: Watcher): void {
    const requestId = this.#nextRequest;
    this.#nextRequest += 1;
    const close = (thinkMs?: number): void => {
      this.#open.delete(requestId);
      this.#think(watcher, thinkMs);
    };
    const cancelTimeout = this.#host.after(timeoutMs, () => {
      watcher.member = this.#anyMember();
      close();
    });
    this.#open.set(requestId, (outcome, revision) => {
      cancelTimeout();
      this.#note(watcher, outcome, revision);
      const isBehind = revision + 1 < watcher.position.revision;
      if (isBehind || this.#prng.nextBelow(3) === 0) this.#move(watcher);
      close(outcome.kind === 'events' && outcome.events.length > 0 ? hurryMs : thinkMsMax);
    });
    const bounds = {
      eventsMax: 1 + this.#prng.nextBelow(eventsMax),
      sizeBytesMax: this.#prng.nextBelow(sizeBytesMax),
    };
    const query = { ...watcher.watched, ...bounds, from: watcher.position };
    this.#host.send(watcher.member, { kind: 'request', requestId, operation: { op: 'watch', query } });
  }

  #move(watcher: Watcher): void {
    watcher.member = this.#anyMember();
    watcher.position = this.#parts.rules.resumedAt(watcher.position);
  }

  #note(watcher: Watcher, outcome: WatchOutcome, revision: StoreRevision): void {
    const { marks, position } = watcher;
    if (outcome.kind === 'compacted') {
      const compacted = outcome.compactedRevision;
      watcher.position = { revision: compacted + 1, skip: 0 };
      marks.push({ kind: 'compacted', from: position.revision, compacted });
      marks.push({ kind: 'start', revision: compacted + 1 });
      return;
    }
    const { events, next, isSynced } = outcome;
    watcher.position = next;
    if (events.length > 0) marks.push({ kind: 'events', events });
    if (isSynced) marks.push({ kind: 'progress', revision });
    marks.push({ kind: 'at', position: next });
  }

  #anyMember(): MemberId {
    return this.#members[this.#prng.nextBelow(this.#members.length)] as MemberId;
  }
}
