/** A cluster of Ringleader: a new one as `npm start` runs it, or one that runs already. */
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { findCluster, type RunningCluster } from '../../running-cluster.js';
import type { Settings } from '../settings.js';
import { CoordinatorWatches } from '../coordinator-watches.js';
import type { RunningTarget, Target } from './target.js';

const WATCHES = "what is watched are keys of the coordinators' store over NATS: REST has no watches of keys";

function running(folder: string, cluster: RunningCluster, stop: () => Promise<void>): RunningTarget {
  return {
    kind: 'rest',
    endpoints: cluster.gatewayUrls,
    processes: async () => (await cluster.processes()).map(({ service, pid }) => ({ kind: service, pid })),
    watches: new CoordinatorWatches(folder),
    // PostgreSQL keeps house by itself.
    tidy: () => Promise.resolve(),
    stop,
  };
}

interface Extent {
  readonly name: string;
  readonly version: string;
  readonly shards: number;
  readonly gateways: number;
  readonly postgres: string | undefined;
}

function newCluster({ name, version, shards, gateways, postgres }: Extent): Target {
  return {
    name,
    version,
    description: `shards: ${shards}, gateways: ${gateways}, coordinators: 3; durable defaults; REST; linearizable reads; a batch is not atomic; ${WATCHES}`,
    start: async () => {
      const handle: LocalClusterHandle = await startLocalCluster({
        shards,
        gateways,
        ...(postgres !== undefined && { postgres }),
      });
      try {
        const cluster = await findCluster(handle.dataFolder);
        return running(handle.dataFolder, cluster, () => handle.dispose());
      } catch (error) {
        await handle.dispose();
        throw error;
      }
    },
  };
}

function runningCluster(name: string, folder: string, version: string): Target {
  return {
    name,
    version,
    description: `the cluster that runs on ${folder}; REST; linearizable reads; a batch is not atomic; ${WATCHES}`,
    start: async () => running(folder, await findCluster(folder), () => Promise.resolve()),
  };
}

export const RINGLEADER = 'ringleader';

/** One for each number of shards and of gateways; the name tells them apart where there are several. */
export function ringleaderTargets(
  {
    shards,
    gateways,
    data,
    postgres,
    beside,
  }: Pick<Settings, 'shards' | 'gateways' | 'data' | 'postgres' | 'beside'>,
  version: string,
): Target[] {
  const isOne = shards.length * gateways.length === 1;
  const others = beside === undefined ? [] : [runningCluster('beside', beside, 'of that cluster')];
  if (data !== undefined) return [runningCluster(RINGLEADER, data, version), ...others];
  const extents = shards.flatMap((shardCount) =>
    gateways.map((gatewayCount) => ({
      name: isOne ? RINGLEADER : `${RINGLEADER} ${shardCount}s/${gatewayCount}g`,
      version,
      shards: shardCount,
      gateways: gatewayCount,
      postgres,
    })),
  );
  return [...extents.map(newCluster), ...others];
}
