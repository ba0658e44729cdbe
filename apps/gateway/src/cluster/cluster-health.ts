/**
 * One word for the state of the whole, and why. Pure.
 *
 * `unavailable`: some keys cannot be written at present, or the gateway cannot tell. `degraded`: all keys can, but
 * something that should be there is missing, so less may fail from here on.
 */
import type { Health, MemberView } from '@ringleader/contracts';

export interface ClusterFacts {
  readonly transportConnected: boolean;
  readonly partitions: number;
  readonly partitionsWithoutLeader: number;
  readonly coordinatorLeader: string | null;
  readonly members: readonly MemberView[];
  /** Members that are not ready, or whose process is not the registered one. */
  readonly unready: readonly string[];
  /** Shards and coordinators that belong to the cluster and are not in the service registry. */
  readonly missing: readonly string[];
  /** Failure detectors heard of lately. */
  readonly detectors: number;
}

export interface Assessment {
  readonly health: Health;
  readonly reasons: readonly string[];
}

export function assessHealth(facts: ClusterFacts): Assessment {
  const grave = graveReasons(facts);
  const slight = slightReasons(facts);
  const reasons = [...grave, ...slight];
  if (grave.length > 0) return { health: 'unavailable', reasons };
  return { health: slight.length > 0 ? 'degraded' : 'healthy', reasons };
}

/** Why nothing at all can be served; empty while a part of the keys can. */
export function unreadyReasons(
  facts: Pick<ClusterFacts, 'transportConnected' | 'partitions' | 'partitionsWithoutLeader'>,
): string[] {
  const servesSome = facts.partitionsWithoutLeader < facts.partitions;
  return facts.transportConnected && servesSome ? [] : graveReasons(facts);
}

function graveReasons(facts: Parameters<typeof unreadyReasons>[0]): string[] {
  if (!facts.transportConnected) return ['the gateway is not connected to NATS'];
  if (facts.partitions === 0) return ['there is no partition map yet'];
  const { partitionsWithoutLeader: without, partitions } = facts;
  return without === 0 ? [] : [`${without} of ${partitions} partitions have no leader`];
}

function slightReasons(facts: ClusterFacts): string[] {
  const reasons = facts.missing.map((name) => `${name} is not running`);
  if (facts.coordinatorLeader === null) reasons.push('the coordinators have no leader');
  if (facts.detectors === 0) reasons.push('no failure detector reports');
  for (const { id, verdict, state } of facts.members) {
    if (verdict === 'suspect' || verdict === 'down') reasons.push(`${id} is ${verdict}`);
    else if (state !== 'serving') reasons.push(`${id} is ${state}`);
    else if (facts.unready.includes(id)) reasons.push(`${id} is not ready`);
  }
  return reasons;
}
