/** What containers ask for: as the cluster says, or as is enough to begin with. */
import type { RingleaderCluster } from '@ringleader/contracts';

export type Resources = NonNullable<RingleaderCluster['spec']['shards']['resources']>;

export interface ContainerResources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/**
 * Memory is asked for as it is limited: what is over the request is taken away when the node is short of it, and the process keeps to
 * its limit. No limit on the processor but where the owner wants one: it would throttle heartbeats.
 */
export function containerResources(
  wanted: Resources | undefined,
  standard: { readonly cpu: string; readonly memory: string },
): ContainerResources {
  const { requests = {}, limits = {} } = wanted ?? {};
  const memory = limits['memory'] ?? requests['memory'] ?? standard.memory;
  return {
    requests: { cpu: limits['cpu'] ?? standard.cpu, memory, ...requests },
    limits: { memory, ...limits },
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Of a quantity as Kubernetes writes them; null where it is none. */
export function quantityBytes(text: string): number | null {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) return null;
  return Math.floor(Number(match[1]) * unit);
}
