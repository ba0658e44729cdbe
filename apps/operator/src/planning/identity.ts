/**
 * Whether those who answer are the coordinators of this cluster. A group that was restored from a snapshot has another id, and does not
 * know who came after that; so has one of the same name that is behind the same servers of NATS. What such a group does not list is given
 * up by nobody, until a person has said that it is the one.
 */
import { CLUSTER_ID_ANNOTATION } from '@ringleader/contracts';
import { NOTHING, note, type Part } from './course.js';
import type { Observed } from './types.js';

/** The id of a group that nobody has said to be this cluster's. */
export function strangerIn({ cluster, claims, data }: Observed): string | null {
  const known = cluster.status?.clusterId ?? '';
  const found = data?.clusterId ?? known;
  // Where nothing was founded there is nothing to give up: all was begun anew.
  if (known === '' || found === known || !claims.some(({ isFounded }) => isFounded)) return null;
  return cluster.metadata.annotations?.[CLUSTER_ID_ANNOTATION] === found ? null : found;
}

export function tellStranger({ cluster }: Observed, stranger: string | null): Part {
  if (stranger === null) return NOTHING;
  const message = `The coordinators that answer are of the cluster ${stranger}, and this was ${cluster.status?.clusterId}: nothing is given up, as if nobody answered. If they were restored from a snapshot, say so by the annotation ${CLUSTER_ID_ANNOTATION}=${stranger}`;
  return note('refused', 'OtherCluster', message);
}
