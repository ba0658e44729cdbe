/**
 * What the fault scenarios must know of the cluster, asked over its REST interface.
 */
interface ClusterDocument {
  readonly coordinator: { readonly leader: string };
  readonly members: readonly { readonly id: string; readonly startedAt: string }[];
}

export async function readCluster(url: string): Promise<ClusterDocument> {
  const answer = await fetch(`${url}/v1/cluster`);
  if (!answer.ok) throw new Error(`/v1/cluster answers ${answer.status}`);
  return (await answer.json()) as ClusterDocument;
}
