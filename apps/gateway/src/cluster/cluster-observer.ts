/**
 * Follows the cluster: the registry and the shards by the coordinator's watches, heartbeats and what detectors report by NATS, the
 * coordinators' leader by asking them now and then. Everything here is for reports, and for taking suspects out of
 * rotation; no request waits for it.
 */
import {
  CLUSTER_KEY,
  MEMBERS_PREFIX,
  OperationalError,
  SHARDS_PREFIX,
  clusterSchema,
  coordinatorSeat,
  memberKey,
  memberSchema,
  shardSchema,
  speakerOf,
  subjects,
} from '@ringleader/contracts';
import type { Cluster, CoordinatorMember, Member, ShardRegistration } from '@ringleader/contracts';
import { PrefixMirror, readChange } from '@ringleader/coordination';
import type { Coordinator, CoordinatorGroup, MirrorChange } from '@ringleader/coordination';
import type { NatsLink, Subscription } from '@ringleader/nats';
import type { Clock, ShardOrdinal } from '@ringleader/primitives';
import type { ShardDirectory } from '../routing/shard-directory.js';
import { coordinatorNames, type CoordinatorStatus } from './cluster-view.js';
import { Telemetry } from './telemetry.js';
import type { Verdicts } from './verdicts.js';

export interface ClusterObserverOptions {
  readonly client: Coordinator & Pick<CoordinatorGroup, 'status' | 'members'>;
  readonly link: NatsLink;
  readonly clusterName: string;
  readonly clock: Clock;
  readonly shardDirectory: ShardDirectory;
  readonly verdicts: Pick<Verdicts, 'record' | 'verdict'>;
  readonly onTrouble: (error: OperationalError) => void;
}

const STATUS_INTERVAL_MS = 1_000;
const STATUS_TIMEOUT_MS = 800;
const NOBODY: CoordinatorStatus = { leader: null, term: null, joint: false, members: [] };

export class ClusterObserver {
  readonly telemetry = new Telemetry();
  private readonly membersByKey = new Map<string, Member>();
  private readonly shardsByKey = new Map<string, ShardRegistration>();
  /** The seats of the coordinators that this gateway has ever seen, by name. */
  private readonly seen = new Map<string, number>();
  /** Of the group, as it was told last. */
  private seats: readonly number[] = [];
  private readonly mirrors: readonly PrefixMirror[];
  private subscriptions: readonly Subscription[] = [];
  private timer: NodeJS.Timeout | null = null;
  private isAsking = false;
  private isRegistryRead = false;
  cluster: Cluster | null = null;
  coordinator: CoordinatorStatus = NOBODY;
  detectorQuorum = 0;

  constructor(private readonly options: ClusterObserverOptions) {
    options.shardDirectory.isSuspect = (shard) => this.isSuspect(shard);
    this.mirrors = [
      this.mirror(MEMBERS_PREFIX, (change) => this.takeMembers(change)),
      this.mirror(SHARDS_PREFIX, (change) => this.takeShards(change)),
      this.mirror(CLUSTER_KEY, (change) => this.takeCluster(change)),
    ];
  }

  get clusterName(): string {
    return this.options.clusterName;
  }

  get members(): readonly Member[] {
    return [...this.membersByKey.values()];
  }

  get shards(): readonly ShardRegistration[] {
    return [...this.shardsByKey.values()];
  }

  get coordinators(): readonly string[] {
    return coordinatorNames(this.seen, this.seats);
  }

  /** Null for a member that was never doubted. */
  readonly verdictOf: Verdicts['record'] = (service, id) => this.options.verdicts.record(service, id);

  /** Follows from now on; what is not known yet comes when the coordinator answers. */
  start(): void {
    for (const mirror of this.mirrors) void mirror.start();
    const { clusterName, link, clock } = this.options;
    this.subscriptions = [
      link.subscribe(subjects.heartbeat.to(clusterName), {
        callback: (error, message) => {
          const speaker = error === null ? speakerOf(message.subject) : null;
          if (speaker !== null) link.hear(message.subject);
          const isTaken =
            speaker !== null && this.telemetry.heartbeat(speaker, jsonOf(message), clock.monotonicMs());
          if (!isTaken) link.frames.refuse('heartbeat', 'malformed');
        },
      }),
      link.subscribe(subjects.verdicts.to(clusterName), {
        callback: (error, message) => {
          const speaker = error === null ? speakerOf(message.subject) : null;
          if (speaker !== null) link.hear(message.subject);
          const isTaken =
            speaker !== null && this.telemetry.verdictReport(speaker, jsonOf(message), clock.monotonicMs());
          if (!isTaken) link.frames.refuse('verdicts', 'malformed');
        },
      }),
    ];
    this.timer = setInterval(() => void this.askCoordinators(), STATUS_INTERVAL_MS);
    void this.askCoordinators();
  }

  stop(): void {
    for (const mirror of this.mirrors) mirror.stop();
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** One that says that it stops, or has left, is passed over before anybody can miss it. */
  private isSuspect(shard: ShardOrdinal): boolean {
    const { shardDirectory, verdicts } = this.options;
    const name = shardDirectory.name(shard);
    const verdict = verdicts.verdict('shard', name);
    if (verdict === 'suspect' || verdict === 'down') return true;
    // Before it was read nobody is in the registry.
    return this.isRegistryRead && this.membersByKey.get(memberKey('shard', name))?.state !== 'serving';
  }

  private mirror(prefix: string, onChange: (change: MirrorChange) => void): PrefixMirror {
    const { client, clock, onTrouble } = this.options;
    return new PrefixMirror({ client, clock, prefix, onChange, onTrouble });
  }

  private takeMembers(change: MirrorChange): void {
    const { puts, deletes } = readChange(memberSchema, change, this.options.onTrouble);
    this.isRegistryRead = true;
    for (const key of deletes) this.membersByKey.delete(key);
    for (const { key, value: member } of puts) {
      this.membersByKey.set(key, member);
      if (member.service === 'coordinator') this.seen.set(member.id, member.ordinal);
    }
  }

  private takeShards(change: MirrorChange): void {
    const { shardDirectory, onTrouble } = this.options;
    const { puts, deletes } = readChange(shardSchema, change, onTrouble);
    for (const key of deletes) this.shardsByKey.delete(key);
    for (const { key, value: shard } of puts) {
      this.shardsByKey.set(key, shard);
      shardDirectory.learn(shard.ordinal, { name: shard.shardId, weight: shard.weight });
    }
  }

  private takeCluster(change: MirrorChange): void {
    // Other keys may begin with it, too.
    const own = { ...change, puts: change.puts.filter(({ key }) => key === CLUSTER_KEY) };
    const [put] = readChange(clusterSchema, own, this.options.onTrouble).puts;
    if (put !== undefined) this.cluster = put.value;
  }

  private async askCoordinators(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      const coordinators = this.members.filter(({ service }) => service === 'coordinator');
      const { client } = this.options;
      const options = { timeoutMs: STATUS_TIMEOUT_MS };
      const [group, ...answers] = await Promise.all([
        client.members(options).catch(withoutLeader),
        ...coordinators.map(async ({ id, ordinal }) => ({
          id,
          status: await client.status(ordinal, options),
        })),
      ]);
      const { joint, members } = group ?? NOBODY;
      this.coordinator = { ...leaderAmong(answers), joint, members };
      this.detectorQuorum = Math.max(0, ...answers.map(({ status }) => status?.detectorQuorum ?? 0));
      this.seats = seatsOf(members, answers) ?? this.seats;
    } finally {
      this.isAsking = false;
    }
  }
}

interface StatusAnswer {
  readonly id: string;
  readonly status: {
    readonly role: string;
    readonly term: number;
    readonly members?: readonly number[] | undefined;
    readonly detectorQuorum?: number | undefined;
  } | null;
}

/** By the leader, or else by each that answers, who may be behind. Null where nobody says. */
function seatsOf(
  members: readonly CoordinatorMember[],
  answers: readonly StatusAnswer[],
): readonly number[] | null {
  const told = members.flatMap(({ name }) => coordinatorSeat(name) ?? []);
  if (told.length > 0) return told;
  const seats = answers.flatMap(({ status }) => status?.members ?? []);
  return seats.length > 0 ? seats : null;
}

/** Only a leader tells of the members. */
function withoutLeader(error: unknown): null {
  if (error instanceof OperationalError) return null;
  throw error;
}

/** Whoever calls itself the leader at the highest term that anyone knows. */
function leaderAmong(answers: readonly StatusAnswer[]): Pick<CoordinatorStatus, 'leader' | 'term'> {
  const terms = answers.flatMap(({ status }) => (status === null ? [] : [status.term]));
  if (terms.length === 0) return NOBODY;
  const term = Math.max(...terms);
  const leader = answers.find(({ status }) => status?.role === 'leader' && status.term === term);
  return { leader: leader?.id ?? null, term };
}

/** Null for what is not JSON, which then fits no schema. */
function jsonOf(message: { json(): unknown }): unknown {
  try {
    return message.json();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
