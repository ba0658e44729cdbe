/** Whose an object is: what somebody else has made under a name that a cluster wants is left as it is. */
import { CLUSTER_KIND } from '@ringleader/contracts';
import type { RingleaderCluster } from '@ringleader/contracts';
import type { KubeObject } from '../kubernetes/kube-api.js';
import { KubeError } from '../kubernetes/kube-error.js';
import { clusterLabels, managedLabel } from '../resources/index.js';

/** Refuses as the API server does. Of an owner that was deleted, this cluster inherits what had the same name. */
export function refuseOthers(live: KubeObject, cluster: RingleaderCluster): void {
  const { name, uid } = cluster.metadata;
  const { labels = {}, ownerReferences = [] } = live.metadata;
  const ours = Object.entries({ ...clusterLabels(cluster), ...managedLabel });
  const isOurs =
    ownerReferences.length === 0
      ? ours.every(([label, value]) => labels[label] === value)
      : ownerReferences.some(
          (owner) => owner.uid === uid || (owner.kind === CLUSTER_KIND && owner.name === name),
        );
  if (isOurs) return;
  const [owner] = ownerReferences;
  const whose = owner === undefined ? 'was made by somebody else' : `belongs to ${owner.kind} ${owner.name}`;
  const message = `${live.kind} ${live.metadata.name} ${whose}, and is not changed: rename that, or the cluster`;
  throw new KubeError(403, 'NotOurs', message);
}
