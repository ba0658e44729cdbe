/** What nats-servers run with: they read their files when they start, and are rolled for what is new. */
import type { RingleaderCluster } from '@ringleader/contracts';
import { STATEFUL_SETS } from '../kubernetes/kinds.js';
import type { KubeObject } from '../kubernetes/kube-api.js';
import type { WorkloadSeen } from '../planning/types.js';
import { componentName, FILES_ANNOTATION, natsFilesHash, secretNames } from '../resources/index.js';
import type { Known } from './executor.js';
import { workloadSeen } from './observation.js';
import { hashOf } from './secret-content.js';
import type { Content } from './secret-content.js';
import { placeOf, type SecretStore } from './secret-store.js';

/** Whether all of them run with the configuration and the certificate that there are; `tls`: where that is in no memory of ours. */
export function isServed(
  cluster: RingleaderCluster,
  store: Pick<SecretStore, 'remembered'>,
  known: Pick<Known, 'get'>,
  tls: Content | undefined = store.remembered(cluster, secretNames.natsTls(cluster)),
): boolean {
  const [confName, tlsName] = [secretNames.natsConfig(cluster), secretNames.natsTls(cluster)];
  const conf = store.remembered(cluster, confName);
  const set = known.get({ ...placeOf(cluster, STATEFUL_SETS), name: componentName(cluster, 'nats') });
  if (conf === undefined || tls === undefined || set === undefined) return false;
  const files = natsFilesHash(cluster, { [confName]: hashOf(conf), [tlsName]: hashOf(tls) });
  return filesOf(set) === files && isSettled(workloadSeen(set));
}

function filesOf(set: KubeObject): string | undefined {
  const { template } = (set['spec'] ?? {}) as { readonly template?: Pick<KubeObject, 'metadata'> };
  return template?.metadata.annotations?.[FILES_ANNOTATION];
}

const isSettled = ({ isCurrent, replicas, readyReplicas, updatedReplicas }: WorkloadSeen): boolean =>
  isCurrent && readyReplicas >= replicas && updatedReplicas >= replicas;
