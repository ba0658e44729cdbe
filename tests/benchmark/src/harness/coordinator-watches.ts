/**
 * Watches of the coordinators' store, by the client that Ringleader's own services use, over NATS: keys of REST cannot be
 * watched. Each watcher has a connection of its own, and all of them and the writer live in this process.
 */
import { join } from 'node:path';
import { inboxPrefix } from '@ringleader/contracts';
import { CoordinationClient } from '@ringleader/coordination';
import { connectNats, UNLOGGED, type NatsLink } from '@ringleader/nats';
import { readClusterState } from '@ringleader/tool-local-cluster';
import { ownCpuMs, type Load, type LoadOrder } from './load.js';
import type { LoopResult, Phase } from './loop.js';
import { runWatchRounds } from './watch-rounds.js';

const CLUSTER = 'local';
const SERVICE = 'operator';
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

interface Connection {
  readonly link: NatsLink;
  readonly client: CoordinationClient;
}

export class CoordinatorWatches implements Load {
  readonly description = "the coordinators' own client over NATS, in Node";

  constructor(private readonly folder: string) {}

  can(_kind: LoadOrder['kind'], workload: LoadOrder['workload']): boolean {
    return workload === 'watch';
  }

  fill(): Promise<void> {
    return Promise.resolve();
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }

  async run(order: LoadOrder, onPhase: (phase: Phase, cpuMs: number) => void): Promise<LoopResult> {
    const connections: Connection[] = [];
    const key = `${order.keyPrefix}watched`;
    const value = 'v'.repeat(order.valueBytes);
    try {
      const writer = await this.#connect(0, connections);
      const put = async (): Promise<void> => {
        await writer.txn({ compare: [], success: [{ kind: 'put', key, value }], failure: [] });
      };
      const watch = async (watchers: number, heard: () => void): Promise<void> => {
        for (let i = 1; i <= watchers; i += 1)
          await watchKey(await this.#connect(i, connections), key, heard);
      };
      return await runWatchRounds({ put, watch }, order, (phase) => onPhase(phase, ownCpuMs()));
    } finally {
      await Promise.all(connections.map(({ client }) => client.close()));
      await Promise.all(connections.map(({ link }) => link.close()));
    }
  }

  async #connect(index: number, connections: Connection[]): Promise<CoordinationClient> {
    const { natsUrl } = await readClusterState(this.folder);
    const speaker = { service: SERVICE, member: `benchmark-${index}` } as const;
    const file = join(this.folder, 'nats-passwords', SERVICE);
    const link = await connectNats(
      {
        servers: natsUrl.split(','),
        name: speaker.member,
        inboxPrefix: inboxPrefix(CLUSTER, speaker),
        identity: { kind: 'passwordFile', user: SERVICE, file },
      },
      UNLOGGED,
    );
    const client = new CoordinationClient({ link, cluster: CLUSTER, speaker, clock });
    connections.push({ link, client });
    return client;
  }
}

/** Resolves when the coordinator has the watch, and what is written from then on is told. */
async function watchKey(client: CoordinationClient, key: string, heard: () => void): Promise<void> {
  const { revision } = await client.range({ key });
  const watched = Promise.withResolvers<void>();
  const handle = client.watch(
    { key, fromRevision: revision + 1 },
    {
      onEvents: (events) => events.forEach(heard),
      onProgress: () => watched.resolve(),
      onEnd: watched.reject,
    },
  );
  handle.requestProgress();
  await watched.promise;
}
