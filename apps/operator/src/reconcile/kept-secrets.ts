/**
 * Secrets that were made while the cluster was to be deleted with all that it has, and that are to be kept now: as long as it owns
 * them, Kubernetes deletes them with it.
 */
import type { RingleaderCluster } from '@ringleader/contracts';
import { SECRETS } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import { isConflict, isGone } from '../kubernetes/kube-error.js';
import { NotNow } from './not-now.js';

const SOON_MS = 1_000;

export async function disownSecrets(
  cluster: RingleaderCluster,
  secrets: readonly KubeObject[],
  api: Pick<KubeApi, 'merge'>,
  note: (object: KubeObject) => void,
): Promise<void> {
  for (const { metadata } of secrets) {
    const { name, namespace = '', uid, resourceVersion, ownerReferences = [] } = metadata;
    const others = ownerReferences.filter((owner) => owner.uid !== cluster.metadata.uid);
    if (others.length === ownerReferences.length) continue;
    const patch = { metadata: { uid, resourceVersion, ownerReferences: others } };
    try {
      note(await api.merge({ kind: SECRETS, namespace, name }, patch));
    } catch (error) {
      if (isConflict(error)) throw new NotNow(`${name} has changed meanwhile`, SOON_MS, { cause: error });
      if (!isGone(error)) throw error;
    }
  }
}
