import {
  OperationalError,
  type RequestOf,
  type ResponseOf,
  type Speaker,
  type coordinatorContracts,
  sealFrame,
  speakerOf,
  watchInbox,
} from '@ringleader/contracts';
import { WatchClient } from '@ringleader/coordination';
import { type Command, MvccStore, snapshotOf, storeOf } from '@ringleader/mvcc';
import type { ControlOutcome } from '@ringleader/nats';
import { StoreFollowers } from '../src/watches/store-followers.js';
import type { WatchLimits } from '../src/watches/watch-stream.js';
import { WatchStreams } from '../src/watches/watch-streams.js';
import { ManualClock } from './group-of-one.js';

type Contract = typeof coordinatorContracts.watchStream;
type Outcome = ControlOutcome<ResponseOf<Contract>>;

const CLUSTER = 'test';
const SPEAKER: Speaker = { service: 'gateway', member: 'gateway-1' };
const TERM = 1;

/** One coordinator as its watches see it: a store that applies commands when the test says so. */
class Member {
  store = new MvccStore();
  applied = 0;
  followers!: StoreFollowers;
  streams!: WatchStreams;

  constructor(private readonly network: WatchNetwork) {
    this.start();
  }

  /** Without any stream of before. */
  start(): void {
    const store = (): MvccStore => this.store;
    this.followers = new StoreFollowers(store);
    this.streams = new WatchStreams({
      store,
      followers: this.followers,
      nowMs: () => this.network.clock.now,
      send: (inbox, frame) => this.network.push(inbox, frame),
      onWork: () => undefined,
      limits: this.network.limits,
    });
  }

  apply(commands: number): void {
    for (const command of this.network.commands.slice(this.applied, this.applied + commands)) {
      this.store.apply(command, TERM);
      this.applied += 1;
      this.followers.advance();
    }
  }

  /** A snapshot of another, which is not behind. */
  install(other: Member): void {
    this.store = storeOf([Buffer.concat([...snapshotOf(other.store)])]);
    this.applied = other.applied;
    const { seen } = this.followers;
    this.followers.restart();
    this.streams.restored(seen);
  }
}

/** Members that apply one list of commands, and a client of all; the test decides what gets through. */
export class WatchNetwork {
  readonly clock = new ManualClock();
  readonly commands: Command[] = [];
  readonly members: readonly Member[];
  readonly client: WatchClient;
  /** False: the frame is lost. */
  passes: (frame: Buffer) => boolean = () => true;
  /** What becomes of a request; `lostAnswer` is carried out. */
  fate: () => 'answered' | 'lost' | 'lostAnswer' = () => 'answered';
  readonly #inboxes = new Map<string, (data: Uint8Array) => void>();

  constructor(
    count: number,
    readonly limits: WatchLimits,
  ) {
    this.members = Array.from({ length: count }, () => new Member(this));
    const subscribe = (subject: string, { callback }: { callback?: unknown } = {}): unknown => {
      const take = callback as (error: null, message: { subject: string; data: Uint8Array }) => void;
      this.#inboxes.set(subject, (data) => take(null, { subject, data }));
      return { unsubscribe: () => this.#inboxes.delete(subject) };
    };
    const control = { call: (_: unknown, subject: string, request: unknown) => this.#call(subject, request) };
    this.client = new WatchClient({
      ...{
        cluster: CLUSTER,
        speaker: SPEAKER,
        members: this.members.map((_, i) => i + 1),
        firstMember: () => 1,
      },
      link: { subscribe, frames: { refuse: () => undefined }, hear: () => undefined },
      control,
    } as unknown as ConstructorParameters<typeof WatchClient>[0]);
  }

  /** Frames arrive in a turn of their own, as from a socket, and in order. */
  push(inbox: string, frame: Buffer): void {
    if (!this.passes(frame)) return;
    const sealed = sealFrame(frame);
    setImmediate(() => this.#inboxes.get(inbox)?.(sealed));
  }

  turn(): void {
    for (const { streams } of this.members) streams.turn();
  }

  sweep(): void {
    for (const { streams } of this.members) streams.sweep();
  }

  async #call(subject: string, said: unknown): Promise<Outcome> {
    const request = said as RequestOf<Contract>;
    const fate = this.fate();
    await new Promise(setImmediate);
    if (fate === 'lost') return failed('DEADLINE_EXCEEDED');
    const speaker = speakerOf(subject);
    const member = this.members[Number(subject.split('.').at(-2)) - 1];
    if (speaker === null || member === undefined) return failed('UNAVAILABLE');
    let response: ResponseOf<Contract>;
    try {
      response = member.streams.request(watchInbox(CLUSTER, speaker, request.stream), request);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      return { kind: 'failed', error };
    }
    await new Promise(setImmediate);
    return fate === 'lostAnswer' ? failed('DEADLINE_EXCEEDED') : { kind: 'answered', response };
  }
}

function failed(code: 'UNAVAILABLE' | 'DEADLINE_EXCEEDED'): Outcome {
  return { kind: 'failed', error: new OperationalError(code, 'as the test wants it') };
}
