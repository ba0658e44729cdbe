/** Runs in which scripts ask for nearly everything themselves. */
import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { ClientRequest } from '../gateway.js';
import type { Scene } from '../script.js';
import { LIMITS, type ClusterSettings, type RunSettings } from '../settings.js';
import { QUICK } from './leases.js';

const READING_GATEWAY = 1;
export const REPAIR_ROWS = 8;

/** What scripts ask for; nobody else writes. */
export const SCRIPTED: RunSettings = {
  ...QUICK,
  cluster: { ...QUICK.cluster, limits: { ...LIMITS, repairRowsMax: REPAIR_ROWS } },
  gateway: { ...QUICK.gateway, operationTimeoutMs: 5_000 },
  workload: { ...QUICK.workload, clients: 1, keysPerPartition: 1, thinkMsMax: 50, mixes: [{ staleRead: 1 }] },
  links: { ...GOOD_LINK, delayMinMs: 0.1, delayMaxMs: 0.5 },
  faultyMs: 6_000,
  lastReads: true,
};

/** Who is away for two leases is waited for no longer. */
export function purgingSoon(cluster: ClusterSettings): ClusterSettings {
  const { leaseMs } = cluster.timings;
  return { ...cluster, timings: { ...cluster.timings, purgeAfterMs: 2 * leaseMs, purgeRestMs: leaseMs / 4 } };
}

/** Asks through the gateway that readers use, one after the other, and waits for the answers. */
export function* done(scene: Scene, requests: readonly ClientRequest[]): Generator<number, void> {
  for (const request of requests) yield* until(ask(scene, request));
}

/** Asks through the gateway that readers use; what it gives back tells whether it was answered. */
export function ask(scene: Scene, request: ClientRequest): () => boolean {
  let answered = false;
  scene.cluster.workload.ask(request, READING_GATEWAY, () => {
    answered = true;
  });
  return () => answered;
}

/** Waits for it, but not for ever. */
export function* until(
  isSo: () => boolean,
  patienceMs = Number.POSITIVE_INFINITY,
): Generator<number, boolean> {
  for (let waited = 0; waited < patienceMs && !isSo(); waited += 1) yield 1;
  return isSo();
}
