/**
 * What the fault scenarios must know of the cluster, asked over its REST interface.
 */
import type { Vote } from '@ringleader/contracts';

interface ClusterDocument {
  readonly coordinator: { readonly leader: string };
  readonly members: readonly {
    readonly id: string;
    readonly startedAt: string;
    readonly evidence: readonly Vote[];
  }[];
}

/** Also of one whose registration has run out meanwhile. */
export async function verdictOf(url: string, shard: string): Promise<string> {
  const answer = await fetch(`${url}/v1/cluster/shards/${shard}`);
  if (!answer.ok) throw new Error(`/v1/cluster/shards/${shard} answers ${answer.status}`);
  return ((await answer.json()) as { readonly verdict: string }).verdict;
}

export async function readCluster(url: string): Promise<ClusterDocument> {
  const answer = await fetch(`${url}/v1/cluster`);
  if (!answer.ok) throw new Error(`/v1/cluster answers ${answer.status}`);
  return (await answer.json()) as ClusterDocument;
}
