/**
 * Clients of the coordinators' own protocol that put, delete, compare and read ten hot keys, each beginning at another member, and
 * watchers of these keys, one of which leaves and comes back all the time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { inboxPrefix, OperationalError, prefixRange } from '@ringleader/contracts';
import type { WatchedEvent, WatchEvent } from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import type { WatchHandle } from '@ringleader/coordination';
import { connectNats, UNLOGGED, type NatsLink } from '@ringleader/nats';
import { seededPrng, type Prng } from '@ringleader/primitives';
import { until } from '@ringleader/testing-servers';
import type { Asked, Delivery, Recorded, Told } from './recorded.js';

export interface Place {
  readonly natsUrl: string;
  readonly dataFolder: string;
}

const CLUSTER = 'local';
const SPEAKER = { service: 'operator', member: 'faults' } as const;
const CLIENTS = 6;
const WATCHERS = 4;
const KEYS = 10;
const SEATS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const TIMEOUT_MS = 5_000;
const REST_MS = 3;
const prefixOf = (seed: number): string => `faults/${String(seed)}/`;
/** What says that nothing was done. */
const REFUSALS: ReadonlySet<string> = new Set(['UNAVAILABLE', 'OVERLOADED', 'DEADLINE_EXCEEDED']);
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

function asText({ kind, item }: WatchedEvent): WatchEvent {
  return { kind, item: { ...item, value: Buffer.from(item.value).toString() } };
}

/** From the first revision that it is to see. */
class Watcher {
  readonly deliveries: Delivery[] = [];
  /** Why it ended by itself, which it should not. */
  ended: OperationalError | null = null;
  #handle: WatchHandle | null = null;

  constructor(
    private readonly client: CoordinationClient,
    private readonly prefix: string,
    private next: number,
  ) {}

  begin(): void {
    this.#handle = this.client.watch(
      { ...prefixRange(this.prefix), fromRevision: this.next },
      {
        onEvents: (events, revision) => {
          this.deliveries.push(events.map(asText));
          this.next = revision + 1;
        },
        onEnd: (error) => (this.ended = error),
      },
    );
  }

  leave(): void {
    this.#handle?.cancel();
  }

  /** Whether it has seen this revision. */
  has(revision: number): boolean {
    return this.next > revision;
  }
}

export class CoordinatorLoad {
  readonly history: Recorded[] = [];
  /** Answers that no client should get, by code. */
  readonly dishonest: string[] = [];
  /** Writes that were acknowledged. */
  acknowledged = 0;
  readonly keys: readonly string[];
  readonly watchers: readonly Watcher[];
  #isStopped = false;
  #lastValue = 0;
  #work: Promise<void>[] = [];

  private constructor(
    private readonly link: NatsLink,
    private readonly clients: readonly CoordinationClient[],
    private readonly seed: number,
    revision: number,
  ) {
    this.keys = Array.from({ length: KEYS }, (_, i) => `${prefixOf(seed)}${String(i)}`);
    this.watchers = clients
      .slice(0, WATCHERS)
      .map((client) => new Watcher(client, prefixOf(seed), revision + 1));
  }

  static async start({ natsUrl, dataFolder }: Place, seed: number): Promise<CoordinatorLoad> {
    const { service } = SPEAKER;
    const link = await connectNats(
      {
        servers: natsUrl.split(','),
        name: SPEAKER.member,
        inboxPrefix: inboxPrefix(CLUSTER, SPEAKER),
        identity: { kind: 'passwordFile', user: service, file: join(dataFolder, 'nats-passwords', service) },
      },
      UNLOGGED,
    );
    const clients = Array.from({ length: CLIENTS }, (_, i) => {
      const members = [...SEATS.slice(i % 3), ...SEATS.slice(0, i % 3)];
      return new CoordinationClient({ link, cluster: CLUSTER, speaker: SPEAKER, clock, members });
    });
    const { revision } = await clients[0]!.range({ key: prefixOf(seed) });
    const load = new CoordinatorLoad(link, clients, seed, revision);
    for (const watcher of load.watchers) watcher.begin();
    load.#work = [...clients.map((client, i) => load.#ask(client, i)), load.#comeAndGo()];
    return load;
  }

  /** Until every watcher has seen all that was written. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#work);
    const last = await this.#carryOut(this.clients[0]!, this.#write(this.keys.slice(0, 1)));
    const revision = last?.revision ?? 0;
    const haveAll = (): boolean =>
      this.watchers.every((watcher) => watcher.has(revision) || watcher.ended !== null);
    await until('all watchers have seen all', haveAll, { timeoutMs: 60_000 });
  }

  async close(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#work);
    await Promise.all(this.clients.map((client) => client.close()));
    await this.link.close();
  }

  async #comeAndGo(): Promise<void> {
    const [restless] = this.watchers;
    while (!this.#isStopped) {
      await delay(700);
      restless?.leave();
      await delay(50);
      restless?.begin();
    }
  }

  async #ask(client: CoordinationClient, process: number): Promise<void> {
    const prng = seededPrng(this.seed * CLIENTS + process);
    /** As it saw the keys last. */
    const seen = new Map<string, number>();
    while (!this.#isStopped) {
      const asked = this.#draw(prng, seen);
      const invokedAt = performance.now();
      const told = await this.#carryOut(client, asked);
      const returnedAt = performance.now();
      // What certainly was not done, and a read without an answer, say nothing.
      if (told !== undefined) this.history.push({ process, asked, told, invokedAt, returnedAt });
      for (const key of told?.succeeded === true ? asked.writes.keys() : [])
        seen.set(key, told?.revision ?? 0);
      for (const { key, modRevision } of told?.items ?? []) seen.set(key, modRevision);
      await delay(REST_MS);
    }
  }

  #draw(prng: Prng, seen: ReadonlyMap<string, number>): Asked {
    const [key, other] = [this.#pick(prng), this.#pick(prng)];
    const kind = prng.nextBelow(20);
    if (kind < 6) return { condition: null, writes: new Map(), reads: kind === 0 ? this.keys : [key] };
    if (kind < 10) return this.#write([key]);
    if (kind < 12) return this.#write([...new Set([key, other])]);
    if (kind === 12) return { condition: null, writes: new Map([[key, null]]), reads: [] };
    const condition = { key, modRevision: seen.get(key) ?? 0 };
    const writes = kind < 19 ? this.#write([key]).writes : new Map([[key, null]]);
    return { condition, writes, reads: [] };
  }

  #write(keys: readonly string[]): Asked {
    const value = String(++this.#lastValue);
    return { condition: null, writes: new Map(keys.map((key) => [key, value])), reads: [] };
  }

  #pick(prng: Prng): string {
    return this.keys[prng.nextBelow(KEYS)]!;
  }

  /** Null: unknown. Undefined: it says nothing. */
  async #carryOut(client: CoordinationClient, asked: Asked): Promise<Told | null | undefined> {
    try {
      const told = await carryOut(client, asked, prefixOf(this.seed));
      if (told.succeeded && asked.writes.size > 0) this.acknowledged += 1;
      return told;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      if (error.code === 'OUTCOME_UNKNOWN' && asked.writes.size > 0) return null;
      if (!REFUSALS.has(error.code)) this.dishonest.push(`${error.code}: ${error.message}`);
      return undefined;
    }
  }
}

async function carryOut(client: CoordinationClient, asked: Asked, prefix: string): Promise<Told> {
  const { condition, writes, reads } = asked;
  const options = { timeoutMs: TIMEOUT_MS };
  if (writes.size === 0) {
    const range = reads.length === 1 ? { key: reads[0]! } : prefixRange(prefix);
    const { items, revision } = await client.range(range, options);
    return { revision, items, succeeded: true, isChange: false };
  }
  const success = [...writes].map(([key, value]) =>
    value === null ? { kind: 'delete' as const, key } : { kind: 'put' as const, key, value },
  );
  const compare = condition === null ? [] : [comparing(condition.key, condition.modRevision)];
  const failure = condition === null ? [] : [{ kind: 'range' as const, key: condition.key }];
  const { succeeded, revision, results } = await client.txn({ compare, success, failure }, options);
  const items = results.flatMap((result) => (result.kind === 'range' ? result.items : []));
  const isChange = results.some(
    (result) => result.kind === 'put' || (result.kind === 'delete' && result.deleted > 0),
  );
  return { revision, succeeded, isChange, items };
}

function comparing(key: string, operand: number) {
  return { key, target: 'modRevision', result: 'equal', operand } as const;
}
