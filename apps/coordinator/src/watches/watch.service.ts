import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { WATCH_SIGN_OF_LIFE_MS, sealFrame, watchInbox } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker, coordinatorContracts } from '@ringleader/contracts';
import { NatsLink } from '@ringleader/nats';
import { Self, ServiceClock } from '@ringleader/service-host';
import { ReplicatedStore, unavailable } from '../store/replicated-store.service.js';
import { LongPolls } from './long-polls.js';
import { StoreFollowers } from './store-followers.js';
import { WatchStreams } from './watch-streams.js';

type Contracts = typeof coordinatorContracts;

/** Watches of this member's store: who watches is shown changes as they are applied here, while a leader is known. */
@Injectable()
export class WatchService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #followers: StoreFollowers;
  readonly #polls: LongPolls;
  readonly streams: WatchStreams;
  #sweeper: NodeJS.Timeout | null = null;
  #isTurnDue = false;
  #isStopped = false;
  #wasLed = true;

  constructor(
    private readonly store: ReplicatedStore,
    private readonly self: Self,
    link: NatsLink,
    clock: ServiceClock,
  ) {
    const local = (): ReplicatedStore['local'] => store.local;
    this.#followers = new StoreFollowers(local);
    this.#polls = new LongPolls({
      store: local,
      followers: this.#followers,
      clock,
      canServe: () => this.#canServe,
    });
    this.streams = new WatchStreams({
      store: local,
      followers: this.#followers,
      nowMs: () => clock.monotonicMs(),
      send: (inbox, frame) => void link.publish(inbox, sealFrame(frame)),
      onWork: () => this.#requestTurn(),
    });
    store.onChange((result) => {
      if (result === null) this.#restart();
      else this.#followers.advance();
    });
  }

  /** Of either kind. */
  get watchCount(): number {
    return this.#polls.size + this.streams.watchCount;
  }

  onApplicationBootstrap(): void {
    this.#sweeper = setInterval(() => this.#sweep(), WATCH_SIGN_OF_LIFE_MS);
  }

  /** Sends everybody to another member. */
  beforeApplicationShutdown(): void {
    this.#isStopped = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#polls.wakeAll();
    this.streams.endAll();
  }

  poll(request: RequestOf<Contracts['watch']>): Promise<ResponseOf<Contracts['watch']>> {
    return this.#polls.watch(request);
  }

  stream(
    request: RequestOf<Contracts['watchStream']>,
    speaker: Speaker,
  ): ResponseOf<Contracts['watchStream']> {
    // Only new ones: who has one here is sent away when this lasts.
    if (request.isNew === true && !this.#canServe) throw unavailable();
    return this.streams.request(watchInbox(this.self.cluster, speaker, request.stream), request);
  }

  /** A member that is cut off hears of nothing: it must not say that nothing happens. */
  get #canServe(): boolean {
    return !this.#isStopped && this.store.status().leader !== 0;
  }

  #restart(): void {
    const { seen } = this.#followers;
    this.#followers.restart();
    this.streams.restored(seen);
    this.#polls.wakeAll();
  }

  #requestTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      this.streams.turn();
    });
  }

  /** An election takes less than the time between two sweeps, and ends nothing. */
  #sweep(): void {
    const isLed = this.#canServe;
    if (isLed) this.streams.sweep();
    else if (!this.#wasLed) this.streams.endAll();
    this.#wasLed = isLed;
  }
}
