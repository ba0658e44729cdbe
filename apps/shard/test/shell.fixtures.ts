/** Shards and a gateway over real NATS and PostgreSQL, with a fixed partition map in place of a coordinator. */
import {
  appendRequest,
  ByteWriter,
  decodeLeadersFrame,
  decodeReplyFrame,
  type FramedRequest,
  type FrameRefusal,
  type Leadership,
  startRequestFrame,
  subjects,
  WIRE_VERSION,
  type WireVersion,
} from '@ringleader/contracts';
import { UNLOGGED, connectNats, connectNatsLinks, type NatsLink, type NatsLinks } from '@ringleader/nats';
import { Registry, createLogger, systemClock } from '@ringleader/observability';
import type { PartitionAssignment, Row, ShardReply, WriteRequest } from '@ringleader/paxos';
import { until } from '@ringleader/testing-servers';
import { NatsDataPath } from '../src/partitions/data-path.nats.js';
import { FrameRouter } from '../src/partitions/frame-router.js';
import { LeaderAnnouncer } from '../src/partitions/leader-announcer.js';
import { RequestDesk } from '../src/partitions/request-desk.js';
import { ShardActivity } from '../src/partitions/shard-activity.js';
import { ShardClock } from '../src/partitions/shard-clock.js';
import type { ShardDriver } from '../src/partitions/shard-driver.js';
import { startLife } from '../src/partitions/shard-life.js';
import { shardConfigSchema } from '../src/shard.config.js';
import type { ShardStorage } from '../src/storage/shard-storage.js';
import { openStorage } from './storage.fixtures.js';

export const CLUSTER = 'shell-test';
const GATEWAY = 'gateway-1';
const SELF = { service: 'gateway', member: GATEWAY } as const;
const ORDINALS = 65_536;

export function fixedMap(partitions: number, replicas: readonly number[]): PartitionAssignment[] {
  return Array.from({ length: partitions }, (_, partition) => ({
    partition,
    epoch: 1,
    replicas,
    nextReplicas: null,
    learners: [],
    preferredLeader: replicas[partition % replicas.length]!,
  }));
}

export interface TestShardOptions {
  readonly ordinal: number;
  readonly natsUrl: string;
  readonly postgresUrl: string;
  readonly map: readonly PartitionAssignment[];
  /** Of a member of an older version. */
  readonly wireVersion?: WireVersion;
  /** Over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

export class TestShard {
  private constructor(
    readonly ordinal: number,
    readonly driver: ShardDriver,
    readonly router: FrameRouter,
    private readonly resources: {
      readonly storage: ShardStorage;
      readonly links: NatsLinks;
      readonly activity: ShardActivity;
    },
  ) {}

  get activity(): ShardActivity {
    return this.resources.activity;
  }

  get storage(): ShardStorage {
    return this.resources.storage;
  }

  static async start(options: TestShardOptions): Promise<TestShard> {
    const { ordinal, natsUrl, postgresUrl, map, settings, wireVersion = WIRE_VERSION } = options;
    const { storage, records, incarnation } = await openStorage(postgresUrl, { shardId: `shard-${ordinal}` });
    const member = { servers: [natsUrl], name: `shard-${ordinal}`, wireVersion };
    const links = await connectNatsLinks(member, UNLOGGED);
    const logger = createLogger({ level: 'warn', service: 'shard', member: `shard-${ordinal}` });
    const clock = new ShardClock(systemClock);
    const dataPath = new NatsDataPath(links, CLUSTER, () => clock.monotonicMs());
    const desk = new RequestDesk({
      ...{ ordinal, clock },
      send: (id, frame) => dataPath.sendToGateway(id, frame),
      backlogBytes: (id) => dataPath.gatewayBacklogBytes(id),
    });
    const announcer = new LeaderAnnouncer(ordinal, clock.stamp, (frame) => dataPath.announceLeaders(frame));
    const router = new FrameRouter(clock, desk, announcer);
    const config = shardConfigSchema.parse({
      RINGLEADER_MEMBER: `shard-${ordinal}`,
      RINGLEADER_POSTGRES_URL: postgresUrl,
      ...settings,
    });
    const activity = new ShardActivity(new Registry());
    const driver = startLife(
      { ordinal, incarnation, storage, records },
      { config, logger, clock, dataPath, desk, announcer, activity },
      () => {
        router.routeTo(null);
        desk.abandonAll();
      },
    );
    const shard = new TestShard(ordinal, driver, router, { storage, links, activity });
    driver.learnMap(map);
    router.routeTo(driver);
    dataPath.listen(ordinal, router);
    return shard;
  }

  /** How many frames it has dropped for this reason. */
  refused(refusal: FrameRefusal): number {
    const { control, data } = this.resources.links;
    return [...control.frames.refused, ...data.frames.refused]
      .filter(([label]) => label.endsWith(` ${refusal}`))
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /** As `kill -9` would: nothing is said to anybody. */
  async kill(): Promise<void> {
    this.router.routeTo(null);
    this.driver.stop();
    await this.resources.links.close();
    await this.resources.storage.close();
  }

  async stop(): Promise<void> {
    await this.driver.leave(0);
    await this.kill();
  }
}

type Unsent<T> = T extends FramedRequest ? Omit<T, 'token' | 'remainingMs'> : never;
type WriteOptions = Partial<Pick<WriteRequest['operation'], 'conditions'>> & { readonly requestId?: string };

/** One request at a time and frame; retried at the leader that the answers and announcements name. */
export class TestGateway {
  private readonly leaders = new Map<number, Leadership>();
  private readonly waiting = new Map<number, (reply: ShardReply) => void>();
  private readonly writer = new ByteWriter();
  private lastToken = 0;

  private constructor(private readonly link: NatsLink) {
    this.subscribe(subjects.leaders.to(CLUSTER), (bytes) => {
      const frame = decodeLeadersFrame(bytes);
      if (frame.kind === 'leaders') for (const leadership of frame.leaderships) this.learn(leadership);
    });
    this.subscribe(subjects.reply.to(CLUSTER, GATEWAY), (bytes) => {
      const frame = decodeReplyFrame(bytes);
      if (frame.kind === 'replies') for (const reply of frame.replies) this.waiting.get(reply.token)?.(reply);
    });
    link.publish(subjects.leadersQuery.from(CLUSTER, SELF));
  }

  static async connect(natsUrl: string): Promise<TestGateway> {
    return new TestGateway(await connectNats({ servers: [natsUrl], name: GATEWAY }, UNLOGGED));
  }

  leaderOf(partition: number): number {
    return (this.leaders.get(partition)?.ballot ?? 0) % ORDINALS;
  }

  async allLed(partitions: number): Promise<void> {
    await until('all partitions are led', () => Promise.resolve(this.leaders.size === partitions), {
      timeoutMs: 20_000,
    });
  }

  async put(partition: number, key: string, value: string, options: WriteOptions = {}): Promise<ShardReply> {
    const operation = {
      kind: 'put',
      key,
      value: Buffer.from(value),
      contentType: 'text/plain',
      expiresAt: null,
      conditions: options.conditions ?? [],
    } as const;
    return this.write(partition, operation, options.requestId);
  }

  async remove(partition: number, key: string): Promise<ShardReply> {
    return this.write(partition, { kind: 'delete', key, conditions: [] });
  }

  async get(partition: number, key: string): Promise<Row | null> {
    const reply = await this.retried(partition, ({ epoch }) => ({
      kind: 'read',
      partition,
      epoch,
      key,
      consistency: { kind: 'linearizable' },
    }));
    if (reply.kind !== 'row') throw new Error(`A read was answered with ${reply.kind}`);
    return reply.row;
  }

  /** Sends to one shard, once; null when it does not answer. */
  async ask(shard: number, request: Unsent<FramedRequest>, timeoutMs: number): Promise<ShardReply | null> {
    const token = ++this.lastToken;
    startRequestFrame(this.writer, { gatewayId: GATEWAY, hybridTime: Date.now() * 1024 });
    appendRequest(this.writer, { ...request, token, remainingMs: timeoutMs });
    const { promise, resolve } = Promise.withResolvers<ShardReply | null>();
    const timer = setTimeout(() => resolve(null), timeoutMs);
    this.waiting.set(token, resolve);
    this.link.publish(subjects.request.from(CLUSTER, SELF, shard), this.writer.take());
    const reply = await promise;
    clearTimeout(timer);
    this.waiting.delete(token);
    return reply;
  }

  async close(): Promise<void> {
    await this.link.close();
  }

  private async write(
    partition: number,
    operation: WriteRequest['operation'],
    requestId = `request-${++this.lastToken}`,
  ): Promise<ShardReply> {
    const origin = Date.now() * 1024;
    return this.retried(partition, ({ ballot, epoch }) => ({
      ...{ kind: 'write', partition, epoch, ballot, requestId, origin, operation },
    }));
  }

  private async retried(
    partition: number,
    requestAt: (leadership: Leadership) => Unsent<FramedRequest>,
  ): Promise<ShardReply> {
    let answer: ShardReply | null = null;
    await until(
      `partition ${partition} answers`,
      async () => {
        const leadership = this.leaders.get(partition);
        if (leadership === undefined) return false;
        answer = await this.ask(leadership.ballot % ORDINALS, requestAt(leadership), 300);
        if (answer?.kind !== 'notLeader') return answer !== null && answer.kind !== 'outcomeUnknown';
        if (answer.ballot > leadership.ballot) this.learn({ ...leadership, ballot: answer.ballot });
        return false;
      },
      { timeoutMs: 15_000 },
    );
    return answer as unknown as ShardReply;
  }

  private learn(leadership: Leadership): void {
    const known = this.leaders.get(leadership.partition);
    if (known === undefined || leadership.ballot > known.ballot) {
      this.leaders.set(leadership.partition, leadership);
    }
  }

  private subscribe(subject: string, take: (bytes: Uint8Array) => void): void {
    this.link.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) throw error;
        take(message.data);
      },
    });
  }
}
