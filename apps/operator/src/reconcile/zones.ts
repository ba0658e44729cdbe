/** Tells each shard's pod the zone of its node: pods themselves may not look at nodes. They wait for it before they start. */
import type { RingleaderCluster } from '@ringleader/contracts';
import { NODES, PODS } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import { isConflict, isGone } from '../kubernetes/kube-error.js';
import { ZONE_ANNOTATION, ZONE_UNKNOWN } from '../resources/index.js';
import type { PodSeen } from '../planning/types.js';
import { podSeen } from './observation.js';

/** Answers the nodes that have no zone, of those that were looked at. */
export async function annotateZones(
  cluster: RingleaderCluster,
  pods: readonly KubeObject[],
  api: Pick<KubeApi, 'find' | 'merge'>,
  note: (object: KubeObject) => void,
): Promise<readonly string[]> {
  const key = cluster.spec.shards.zoneTopologyKey;
  if (key === undefined) return [];
  const nodesWithout: string[] = [];
  for (const pod of pods.filter(waitsForZone)) {
    const { node } = podSeen(pod) as PodSeen;
    const live = await api.find({ kind: NODES, namespace: '', name: node });
    const zone = live?.metadata.labels?.[key] ?? '';
    if (zone === '') nodesWithout.push(node);
    const annotated = await annotate(pod, zone === '' ? ZONE_UNKNOWN : zone, api);
    if (annotated !== null) note(annotated);
  }
  return nodesWithout;
}

/** Null where another pod has its name by now: it comes with its own event. */
async function annotate(
  pod: KubeObject,
  zone: string,
  api: Pick<KubeApi, 'merge'>,
): Promise<KubeObject | null> {
  const { name, namespace = '', uid } = pod.metadata;
  const metadata = { uid, annotations: { [ZONE_ANNOTATION]: zone } };
  try {
    return await api.merge({ kind: PODS, namespace, name }, { metadata });
  } catch (error) {
    if (isGone(error) || isConflict(error)) return null;
    throw error;
  }
}

function waitsForZone(pod: KubeObject): boolean {
  const seen = podSeen(pod);
  if (seen?.component !== 'shard' || seen.node === '') return false;
  return pod.metadata.annotations?.[ZONE_ANNOTATION] === undefined;
}
