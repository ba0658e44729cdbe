import type { ClusterView } from '@ringleader/contracts';

/** Of all gateways, each reason once: what ails the cluster, every one of them says. */
export async function unhealthyReasonsOf(gatewayUrls: readonly string[]): Promise<readonly string[]> {
  return [...new Set((await Promise.all(gatewayUrls.map(unhealthyReasons))).flat())];
}

/** Empty when the gateway serves and says that the whole cluster is healthy; otherwise why not. */
async function unhealthyReasons(gatewayUrl: string): Promise<readonly string[]> {
  try {
    const ready = await fetch(`${gatewayUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await ready.arrayBuffer();
    if (!ready.ok) return [`${gatewayUrl} is not ready`];
    const answer = await fetch(`${gatewayUrl}/v1/cluster`, { signal: AbortSignal.timeout(2_000) });
    if (!answer.ok) return [`${gatewayUrl}/v1/cluster answers ${answer.status}`];
    const view = (await answer.json()) as ClusterView;
    if (view.health === 'healthy') return [];
    return view.reasons.length > 0 ? view.reasons : [`the cluster is ${view.health}`];
  } catch (error) {
    return [`${gatewayUrl} does not answer: ${causeOf(error)}`];
  }
}

/** Why a fetch failed stands in the error's cause. */
function causeOf(error: unknown): string {
  const { message, cause } = error as { message: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message;
}
