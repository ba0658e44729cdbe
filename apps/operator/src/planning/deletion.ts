/**
 * The end of a cluster, in order: who serves users first, then who holds data, then who knows where they are, then what carries
 * messages; then volumes and secrets, if they are not to be kept; the finalizer last. In a namespace that goes the order is not
 * ours: the operator lets go.
 */
import { type Part, together } from './course.js';
import { podsOf, workloadName } from './seen.js';
import {
  type Action,
  type ClaimSeen,
  type Component,
  type ObjectRef,
  type Observed,
  refText,
} from './types.js';

export const CLUSTER_FINALIZER = 'ringleader.io/cluster';
const REASON = 'Deleting';

export const hasFinalizer = ({ cluster }: Observed): boolean =>
  cluster.metadata.finalizers?.includes(CLUSTER_FINALIZER) ?? false;

const part = (actions: readonly Action[], message: string): Part => ({
  actions,
  notes: [{ kind: 'doing', reason: REASON, message }],
});

export function letGo(observed: Observed): Part {
  const why = 'The namespace is being deleted: there is nothing to keep order in';
  return hasFinalizer(observed) ? part([{ kind: 'removeFinalizer', why }], why) : together();
}

const STEPS: readonly (readonly Component[])[] = [
  ['gateway', 'failure-detector'],
  ['shard'],
  ['coordinator'],
  ['nats'],
];

export function tearDown(observed: Observed): Part {
  if (!hasFinalizer(observed)) return together();
  for (const components of STEPS) {
    const here = components.filter((component) => isThere(observed, component));
    if (here.length > 0) {
      return part(
        here.flatMap((component) => deleteWorkload(observed, component)),
        `${here.join(' and ')}: being stopped`,
      );
    }
  }
  const isKept = observed.cluster.spec.deletionPolicy === 'Retain';
  const leftovers = isKept
    ? deleteUnbound(observed)
    : [...deleteClaims(observed.claims, GOES_TOO), ...deleteSecrets(observed)];
  const hasClaims = !isKept && observed.claims.length > 0;
  if (leftovers.length > 0 || hasClaims) return part(leftovers, 'Volumes and secrets are being deleted');
  const why = isKept ? 'All is stopped; volumes and secrets are kept' : 'All is stopped and deleted';
  return part([{ kind: 'removeFinalizer', why }], why);
}

function isThere(observed: Observed, component: Component): boolean {
  return observed.workloads[component] !== undefined || podsOf(observed, component).length > 0;
}

function deleteWorkload(observed: Observed, component: Component): Action[] {
  const workload = observed.workloads[component];
  if (workload === undefined) return deletePods(observed, component);
  const name = workloadName(observed, component);
  const kind = component === 'gateway' || component === 'failure-detector' ? 'Deployment' : 'StatefulSet';
  const ref = { apiVersion: 'apps/v1', kind, name };
  const why = `The cluster is deleted: ${refText(ref)} goes`;
  return [{ kind: 'deleteObject', ref, uid: workload.uid, leavesPods: false, why }];
}

/** Whose StatefulSet is gone without them: nobody else deletes them. */
function deletePods(observed: Observed, component: Component): Action[] {
  const why = 'The cluster is deleted, and nothing owns this pod';
  return podsOf(observed, component)
    .filter(({ isTerminating }) => !isTerminating)
    .map(({ name, uid }) => ({ kind: 'deletePod', pod: name, uid, why }));
}

/** Nothing is on them, and a cluster of the same name would wait for them in vain, as with a storage class that does not exist. */
function deleteUnbound({ claims }: Observed): Action[] {
  const why = 'The cluster is deleted, and this claim never got a volume that could be kept';
  return deleteClaims(
    claims.filter(({ isBound }) => !isBound),
    why,
  );
}

const GOES_TOO = 'The cluster is deleted, and its volumes with it';
function deleteClaims(claims: readonly ClaimSeen[], why: string): Action[] {
  return claims
    .filter(({ isTerminating }) => !isTerminating)
    .map(({ name, uid }) => ({ kind: 'deleteClaim', claim: name, uid, member: null, why }));
}

/** What a Certificate asks for is made anew for as long as that is there. */
function deleteSecrets(observed: Observed): Action[] {
  const certificates = deleteAll(observed, { apiVersion: 'cert-manager.io/v1', kind: 'Certificate' });
  return certificates.length > 0 ? certificates : deleteAll(observed, { apiVersion: 'v1', kind: 'Secret' });
}

function deleteAll({ objects }: Observed, kind: Pick<ObjectRef, 'apiVersion' | 'kind'>): Action[] {
  const why = 'The cluster is deleted, and its secrets with it';
  return Object.entries(objects).flatMap(([text, { uid }]): Action[] => {
    const ref = { ...kind, name: text.slice(text.indexOf('/') + 1) };
    return refText(ref) === text ? [{ kind: 'deleteObject', ref, uid, leavesPods: false, why }] : [];
  });
}
