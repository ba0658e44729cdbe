/**
 * One cluster as its coordinators see it, over that cluster's own NATS. Connected when it is first asked for, in the
 * background: while nobody answers, nothing is known, and the planner is told so.
 */
import {
  CLUSTER_KEY,
  MEMBERS_PREFIX,
  OperationalError,
  PARTITIONS_PREFIX,
  SHARDS_PREFIX,
  VERDICTS_PREFIX,
  clusterSchema,
  inboxPrefix,
  memberSchema,
  partitionEntrySchema,
  shardSchema,
  verdictRecordSchema,
} from '@ringleader/contracts';
import type { PlacedShard, Plan } from '@ringleader/contracts';
import { CoordinationClient, listMetadata, parseMetadata } from '@ringleader/coordination';
import { connectNats } from '@ringleader/nats';
import type { NatsLink } from '@ringleader/nats';
import { systemClock } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { pauseUnlessAborted } from '@ringleader/timers';
import type { DataPlaneSeen } from '../planning/types.js';
import { dataPlaneSeen, digestOf } from './data-plane-view.js';

/** How a cluster's NATS is reached, and as whom. */
export interface NatsAccess {
  readonly servers: readonly string[];
  /** Null: the system's authorities. */
  readonly ca: string | null;
  readonly seed: string;
}

export interface DataPlaneOptions {
  readonly cluster: string;
  /** Of this process. */
  readonly member: string;
  readonly access: NatsAccess;
  readonly logger: Logger;
  /** What is seen is another than before, or can be seen at all. */
  readonly onChange: () => void;
}

export type Coordinators = Pick<
  CoordinationClient,
  'members' | 'changeMembers' | 'transferLeader' | 'ask' | 'range'
>;

const LOOK_EVERY_MS = 5_000;
/** After a refusal: certificates and keys come to the servers a little later than to us. */
const REFUSED_PAUSE_MS = 5_000;

export class DataPlane {
  readonly #abandoned = new AbortController();
  #link: NatsLink | null = null;
  #client: CoordinationClient | null = null;
  #digest = '';
  #closing: Promise<void> | null = null;
  readonly #running: Promise<void>;

  constructor(private readonly options: DataPlaneOptions) {
    this.#running = this.#run();
  }

  /** Null while there is no connection. */
  get coordinators(): Coordinators | null {
    return this.#link?.isConnected === true ? this.#client : null;
  }

  /** Null where no leader answers. */
  async observe(): Promise<DataPlaneSeen | null> {
    const client = this.coordinators;
    if (client === null) return null;
    try {
      const seen = await readDataPlane(client);
      this.#digest = digestOf(seen);
      return seen;
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.options.logger.info({ code: error.code, error }, 'The coordinators do not answer');
      this.#digest = '';
      return null;
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#abandoned.abort();
    // What still waits for an answer ends by this.
    await this.#client?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abandoned;
    while (!signal.aborted) {
      try {
        await this.#live(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.options.logger.warn({ error }, 'The connection to the cluster failed; trying again');
        await pauseUnlessAborted(REFUSED_PAUSE_MS, signal);
      }
    }
  }

  /** One connection, from its beginning to its end: whatever ends it, nothing of it is left, be it that it came too late. */
  async #live(signal: AbortSignal): Promise<void> {
    const { cluster, member } = this.options;
    const link = await this.#connect(signal);
    const speaker = { service: 'operator', member } as const;
    const client = new CoordinationClient({ link, cluster, speaker, clock: systemClock });
    try {
      if (signal.aborted) return;
      this.#link = link;
      this.#client = client;
      this.options.onChange();
      await this.#look(link, signal);
    } finally {
      this.#link = null;
      this.#client = null;
      await client.close();
      await link.close();
    }
  }

  #connect(signal: AbortSignal): Promise<NatsLink> {
    const { cluster, member, access, logger } = this.options;
    const speaker = { service: 'operator', member } as const;
    const { servers, ca, seed } = access;
    const isEncrypted = servers.some((server) => server.startsWith('tls:'));
    return connectNats(
      {
        servers,
        identity: { kind: 'seed', seed },
        tls: isEncrypted || ca !== null ? { ...(ca !== null && { ca }) } : null,
        discovery: false,
        name: member,
        inboxPrefix: inboxPrefix(cluster, speaker),
        signal,
      },
      logger,
    );
  }

  /** Until the connection is closed for good. What changes among the members is no news of Kubernetes'. */
  async #look(link: NatsLink, signal: AbortSignal): Promise<void> {
    let isOver = false;
    void link.ended.then(() => (isOver = true));
    while (!isOver && (await pauseUnlessAborted(LOOK_EVERY_MS, signal))) {
      const before = this.#digest;
      await this.observe();
      if (this.#digest !== before) this.options.onChange();
    }
  }
}

/** Throws OperationalError where no leader answers, and where it cannot be read which cluster it is. */
export async function readDataPlane(client: Coordinators): Promise<DataPlaneSeen> {
  const [coordinators, clusters, members, verdicts, registrations, entries] = await Promise.all([
    client.members(),
    client.range({ key: CLUSTER_KEY }),
    listMetadata(client, MEMBERS_PREFIX, memberSchema),
    listMetadata(client, VERDICTS_PREFIX, verdictRecordSchema),
    listMetadata(client, SHARDS_PREFIX, shardSchema),
    listMetadata(client, PARTITIONS_PREFIX, partitionEntrySchema),
  ]);
  const [cluster] = clusters.items.map((item) => parseMetadata(clusterSchema, item));
  const hasMap = entries.values.length + entries.unreadable.length > 0;
  const placement: { shards: PlacedShard[]; plan: Plan | null } = hasMap
    ? await client.ask('placement', {})
    : { shards: [], plan: null };
  return dataPlaneSeen({
    clusterId: cluster?.clusterId ?? null,
    founded:
      cluster === undefined
        ? null
        : { partitions: cluster.partitionCount, replicationFactor: cluster.replicationFactor },
    coordinators,
    ...placement,
    members: members.values,
    verdicts: verdicts.values,
    registrations: registrations.values,
    entries: entries.values,
    unreadable: [
      ...members.unreadable.map((end) => MEMBERS_PREFIX + end),
      ...verdicts.unreadable.map((end) => VERDICTS_PREFIX + end),
      ...registrations.unreadable.map((end) => SHARDS_PREFIX + end),
      ...entries.unreadable.map((end) => PARTITIONS_PREFIX + end),
    ],
  });
}
