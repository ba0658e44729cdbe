/**
 * By what others tell that this process lives: its heartbeats, its answers to pings, and what it says of others that it
 * is asked to ping. When it hears that it is suspected it raises its incarnation, as in SWIM: what is held against an
 * earlier one counts no more.
 */
import { Injectable } from '@nestjs/common';
import { pingSchema, pongSchema, probeRequestSchema, subjects } from '@ringleader/contracts';
import type { Ping, Pong, ProbeReport, ProbeRequest, Service, Speaker } from '@ringleader/contracts';
import { NatsLink, heartbeatSink, subscribeJson } from '@ringleader/nats';
import { HeartbeatPublisher, LoadMeter } from '@ringleader/observability';
import type { RequestCounters } from '@ringleader/observability';
import { Health } from './health.js';
import { Self } from './injectables.js';

/** Beyond so many that wait for an answer, whoever asks for another probe hears nothing. */
const PINGS_WAITING_MAX = 256;

export interface PingTarget {
  readonly service: Service;
  readonly id: string;
}

export interface PingOptions {
  /** Who has not answered by then is silent. */
  readonly withinMs: number;
  /** It is a suspect under this incarnation, and is told so. */
  readonly suspectedAt?: number | undefined;
}

interface Waiting {
  readonly target: PingTarget;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (pong: Pong | null) => void;
}

@Injectable()
export class SignsOfLife {
  readonly #heartbeat: HeartbeatPublisher;
  readonly #speaker: Speaker & { readonly member: string };
  readonly #waiting = new Map<number, Waiting>();
  #subscriptions: ReturnType<typeof subscribeJson>[] = [];
  #counters: RequestCounters = { inFlight: () => 0, requestsTotal: () => 0 };
  #incarnation = 1;
  #lastNonce = 0;

  constructor(
    private readonly self: Self,
    private readonly link: NatsLink,
    health: Health,
  ) {
    const { cluster, service, id, instance } = self;
    this.#speaker = { service, member: id };
    const meter = new LoadMeter({
      inFlight: () => this.#counters.inFlight(),
      requestsTotal: () => this.#counters.requestsTotal(),
    });
    this.#heartbeat = new HeartbeatPublisher(
      { service, id, instance },
      meter,
      heartbeatSink(link, cluster, this.#speaker),
      () => ({ ready: health.readiness().length === 0, incarnation: this.#incarnation }),
    );
  }

  /** What the heartbeat tells of the load. */
  measure(counters: RequestCounters): void {
    this.#counters = counters;
  }

  /** Has no effect where it has started. */
  start(): void {
    if (this.#subscriptions.length > 0) return;
    const { cluster, service, id } = this.self;
    const { link } = this;
    this.#subscriptions = [
      subscribeJson(
        link,
        { name: 'ping', subject: subjects.ping.to(cluster, service, id), schema: pingSchema },
        (ping, speaker) => this.#answer(ping, speaker),
      ),
      subscribeJson(
        link,
        { name: 'pong', subject: subjects.pong.to(cluster, service, id), schema: pongSchema },
        (pong, speaker) => this.#take(pong, speaker),
      ),
      subscribeJson(
        link,
        { name: 'probe', subject: subjects.probe.to(cluster, service, id), schema: probeRequestSchema },
        (request, { member }) => {
          void this.#probe(request, String(member));
          return true;
        },
      ),
    ];
    this.#heartbeat.start();
  }

  /** What still waits for an answer has none. */
  stop(): void {
    this.#heartbeat.stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    for (const { timer, resolve } of this.#waiting.values()) {
      clearTimeout(timer);
      resolve(null);
    }
    this.#waiting.clear();
  }

  /** Null where no answer came in time. */
  ping(target: PingTarget, { withinMs, suspectedAt }: PingOptions): Promise<Pong | null> {
    const nonce = (this.#lastNonce += 1);
    const { service, id } = target;
    const subject = subjects.ping.from(this.self.cluster, this.#speaker, service, id);
    const ping: Ping = { nonce, ...(suspectedAt !== undefined && { suspectedAt }) };
    const { promise, resolve } = Promise.withResolvers<Pong | null>();
    const timer = setTimeout(() => this.#settle(nonce, null), withinMs);
    this.#waiting.set(nonce, { target, timer, resolve });
    this.link.publish(subject, JSON.stringify(ping));
    return promise;
  }

  #answer({ nonce, suspectedAt }: Ping, { service, member }: Speaker): true {
    if (suspectedAt === this.#incarnation) this.#incarnation += 1;
    const pong: Pong = { nonce, instance: this.self.instance, incarnation: this.#incarnation };
    const subject = subjects.pong.from(this.self.cluster, this.#speaker, service, String(member));
    this.link.publish(subject, JSON.stringify(pong));
    return true;
  }

  #take(pong: Pong, { service, member }: Speaker): boolean {
    const waiting = this.#waiting.get(pong.nonce);
    // It came too late.
    if (waiting === undefined) return true;
    if (waiting.target.service !== service || waiting.target.id !== member) return false;
    this.#settle(pong.nonce, pong);
    return true;
  }

  async #probe({ round, service, id, withinMs, suspectedAt }: ProbeRequest, detector: string): Promise<void> {
    if (this.#waiting.size >= PINGS_WAITING_MAX) return;
    const pong = await this.ping({ service, id }, { withinMs, suspectedAt });
    // Stopped meanwhile: the other one had not the time that it was to have.
    if (this.#subscriptions.length === 0) return;
    const report: ProbeReport = { round, service, id, outcome: pong === null ? 'silent' : 'answered' };
    const subject = subjects.probed.from(this.self.cluster, this.#speaker, detector);
    this.link.publish(subject, JSON.stringify(report));
  }

  #settle(nonce: number, pong: Pong | null): void {
    const waiting = this.#waiting.get(nonce);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(nonce);
    waiting.resolve(pong);
  }
}
