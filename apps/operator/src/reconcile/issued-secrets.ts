/**
 * Secrets that cert-manager has issued for Certificates of a cluster: with no label of ours, no watch tells of them, and without an
 * owner, as cert-manager makes them, they outlive those.
 */
import type { RingleaderCluster } from '@ringleader/contracts';
import { OPTIONAL, SECRETS } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import { secretNames } from '../resources/index.js';

/** On Secrets of cert-manager: the Certificate that they are for. */
const ISSUED_FOR = 'cert-manager.io/certificate-name';

export const isIssuedFor = (secret: KubeObject, certificate: string): boolean =>
  secret.metadata.annotations?.[ISSUED_FOR] === certificate;

/** Not that of a Certificate which somebody else has made under such a name. */
export async function issuedSecrets(
  cluster: RingleaderCluster,
  optionalKinds: readonly string[],
  api: Pick<KubeApi, 'find'>,
): Promise<readonly KubeObject[]> {
  const { namespace, uid } = cluster.metadata;
  const certificates = OPTIONAL.filter(({ kind }) => kind === 'Certificate' && optionalKinds.includes(kind));
  const found: KubeObject[] = [];
  for (const name of [secretNames.natsTls(cluster), secretNames.gatewayTls(cluster)]) {
    const secret = await api.find({ kind: SECRETS, namespace, name });
    if (secret === null || !isIssuedFor(secret, name)) continue;
    const [kind] = certificates;
    const certificate = kind === undefined ? null : await api.find({ kind, namespace, name });
    const owners = certificate?.metadata.ownerReferences ?? [];
    if (certificate === null || owners.some((owner) => owner.uid === uid))
      found.push({ ...secret, apiVersion: SECRETS.apiVersion, kind: SECRETS.kind });
  }
  return found;
}
