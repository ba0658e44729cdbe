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

/**
 * Watches of this member's store: who watches is shown changes as they are applied here. So it serves them while it keeps up
 * with the group: one that is cut off, has no room on its disk or is still being brought up to date must not say that nothing
 * happens.
 */
@Injectable()
export class WatchService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #followers: StoreFollowers;
  readonly #polls: LongPolls;
  readonly streams: WatchStreams;
  #sweeper: NodeJS.Timeout | null = null;
  #isTurnDue = false;
  #isStopped = false;
  #keepsUp = true;

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
      canServe: () => this.#hasLeader && this.#keepsUp,
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
    this.#sweeper = setInterval(() => void this.#sweep(), WATCH_SIGN_OF_LIFE_MS);
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

  async stream(
    request: RequestOf<Contracts['watchStream']>,
    speaker: Speaker,
  ): Promise<ResponseOf<Contracts['watchStream']>> {
    // Only new ones: who has one here is sent away when this lasts.
    if (request.isNew === true && !(await this.#isAbreast())) throw unavailable();
    return this.streams.request(watchInbox(this.self.cluster, speaker, request.stream), request);
  }

  get #hasLeader(): boolean {
    return !this.#isStopped && this.store.status().leader !== 0;
  }

  /** It was asked of the group just now. */
  async #isAbreast(): Promise<boolean> {
    return this.#hasLeader && (await this.store.keepsUp()) && !this.#isStopped;
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
  async #sweep(): Promise<void> {
    const keptUp = this.#keepsUp;
    this.#keepsUp = await this.#isAbreast();
    if (this.#keepsUp) this.streams.sweep();
    else if (!keptUp) this.streams.endAll();
  }
}
