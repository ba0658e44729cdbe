import type { ClusterView } from '@ringleader/contracts';
import { gatewayFetch } from './gateway-fetch.js';
import type { GatewayAccess } from './security.js';

/** What the gateways say of the cluster. */
export interface ClusterHealth {
  /** Each once: what ails the cluster, every gateway says. Empty: all is well. */
  readonly reasons: readonly string[];
  /** Some gateway can serve all keys, whatever is missing. */
  readonly serves: boolean;
}

export async function clusterHealth(
  gatewayUrls: readonly string[],
  access: GatewayAccess | null = null,
): Promise<ClusterHealth> {
  const found = await Promise.all(gatewayUrls.map((url) => healthSeenBy(url, access)));
  const reasons = [...new Set(found.flatMap((health) => health.reasons))];
  return { reasons, serves: found.some(({ serves }) => serves) };
}

async function healthSeenBy(gatewayUrl: string, access: GatewayAccess | null): Promise<ClusterHealth> {
  const unusable = (reason: string): ClusterHealth => ({ reasons: [reason], serves: false });
  const ask = (path: string) =>
    gatewayFetch(`${gatewayUrl}${path}`, access, { signal: AbortSignal.timeout(2_000) });
  try {
    const ready = await ask('/readyz');
    await ready.arrayBuffer();
    if (!ready.ok) return unusable(`${gatewayUrl} is not ready`);
    const answer = await ask('/v1/cluster');
    if (!answer.ok) return unusable(`${gatewayUrl}/v1/cluster answers ${answer.status}`);
    const { health, reasons } = (await answer.json()) as ClusterView;
    if (health === 'healthy') return { reasons: [], serves: true };
    const why = reasons.length > 0 ? reasons : [`the cluster is ${health}`];
    return { reasons: why, serves: health === 'degraded' };
  } catch (error) {
    // Why a fetch failed stands in the error's cause.
    const { message, cause } = error as { message: string; cause?: { message?: string; code?: string } };
    return unusable(`${gatewayUrl} does not answer: ${cause?.message || cause?.code || message}`);
  }
}

const PROBE_TIMEOUT_MS = 1_000;

/** Of any process. False also where nothing answers. */
export function probeSucceeds(
  url: string,
  probe: 'startupz' | 'readyz',
  access: GatewayAccess | null,
): Promise<boolean> {
  return gatewayFetch(`${url}/${probe}`, access, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
