/**
 * What is to be applied: what is missing, has been changed by others, or is wanted otherwise than it was applied. What would make pods
 * anew waits until all that comes before it in an update has been rolled, so that a bad image gets no further than its first pod,
 * not even into pods that die of something else meanwhile.
 */
import { OWNED_KINDS } from '../resources/owned-objects.js';
import { APPLIED_HASH_ANNOTATION, appliedHash, difference } from './applied-hash.js';
import { type Context, NOTHING, note, type Part, together } from './course.js';
import { isNumbered, podsOf, workloadName } from './seen.js';
import { type Action, COMPONENTS, type Component, type Manifest, refText } from './types.js';

/** NATS first, then coordinators, then those who doubt, shards, gateways. */
const ORDER: readonly Component[] = ['nats', 'coordinator', 'failure-detector', 'shard', 'gateway'];

export function applyWanted(context: Context): Part {
  return together(...context.wanted.map((manifest) => applyOne(context, manifest)), prune(context));
}

function applyOne(context: Context, manifest: Manifest): Part {
  const { observed } = context;
  const hash = appliedHash(manifest);
  const ref = refText(manifestRef(manifest));
  const seen = observed.objects[ref];
  if (seen === undefined) return create(context, manifest, hash);
  if (seen.appliedHash === hash) {
    return seen.isAsApplied
      ? NOTHING
      : does(apply(manifest, hash, `${ref} was changed by somebody else: it becomes again what it was`));
  }
  const component = componentOf(context, manifest);
  const changed = difference(seen.appliedHash, hash);
  const before = component === null || !changed.template ? null : unsettledBefore(context, component);
  if (before !== null && component !== null) {
    const message = `${ref} changes once all pods of ${before} are updated and ready`;
    return together(scaleOnly(context, manifest, component), note('doing', 'Updating', message));
  }
  // Claims of a StatefulSet cannot change: it is made anew around its pods.
  if (changed.claims && manifest.kind === 'StatefulSet') {
    const why = `${ref} is made anew around its pods, since the claims in it cannot be changed`;
    const { uid } = seen;
    return does({ kind: 'deleteObject', ref: manifestRef(manifest), uid, leavesPods: true, why });
  }
  return does(apply(manifest, hash, `${ref} is to be otherwise than it was applied`));
}

/** An update that waits, or is stuck, keeps nobody from scaling. */
function scaleOnly({ observed, shape }: Context, manifest: Manifest, component: Component): Part {
  const workload = observed.workloads[component];
  const replicas = shape.replicas[component];
  if (workload === undefined || workload.replicas === replicas) return NOTHING;
  const ref = manifestRef(manifest);
  const why = `${refText(ref)} is to have ${replicas} pods in place of ${workload.replicas}`;
  return does({ kind: 'scale', ref, uid: workload.uid, replicas, why });
}

/** The numbers that a group is founded with stand in its ConfigMap before any pod reads them. */
function create(context: Context, manifest: Manifest, hash: string): Part {
  const component = componentOf(context, manifest);
  if (component === 'coordinator' && context.observed.founding === null) {
    return note('doing', 'Founding', 'The numbers that the group is founded with are written down first');
  }
  return does(apply(manifest, hash, `${refText(manifestRef(manifest))} is not there`));
}

const does = (action: Action): Part => ({ actions: [action], notes: [] });

const manifestRef = ({ apiVersion, kind, metadata: { name } }: Manifest) => ({ apiVersion, kind, name });

function apply(manifest: Manifest, hash: string, why: string): Action {
  const { metadata } = manifest;
  const annotations = { ...metadata.annotations, [APPLIED_HASH_ANNOTATION]: hash };
  return { kind: 'apply', manifest: { ...manifest, metadata: { ...metadata, annotations } }, hash, why };
}

export function componentOf({ observed }: Context, { kind, metadata }: Manifest): Component | null {
  if (kind !== 'StatefulSet' && kind !== 'Deployment') return null;
  return COMPONENTS.find((component) => metadata.name === workloadName(observed, component)) ?? null;
}

/** The first of those that are updated before it which does not have the new template everywhere, and ready. */
function unsettledBefore(context: Context, component: Component): Component | null {
  const before = ORDER.slice(0, ORDER.indexOf(component));
  return before.find((one) => !isSettled(context, one)) ?? null;
}

function isSettled(context: Context, component: Component): boolean {
  const manifest = context.wanted.find((one) => componentOf(context, one) === component);
  if (manifest === undefined) return true;
  const { observed, rules } = context;
  const seen = observed.objects[refText(manifestRef(manifest))];
  const workload = observed.workloads[component];
  if (seen === undefined || workload === undefined || !rules.believes(workload)) return false;
  if (difference(seen.appliedHash, appliedHash(manifest)).template) return false;
  const { replicas, readyReplicas, updatedReplicas, updateRevision } = workload;
  if (readyReplicas < replicas) return false;
  return isNumbered(component)
    ? podsOf(observed, component).every(({ revision }) => revision === updateRevision)
    : updatedReplicas >= replicas;
}

/** What was applied once and is wanted no more goes; never a secret. */
function prune({ observed, wanted }: Context): Part {
  const names = new Set(wanted.map((manifest) => refText(manifestRef(manifest))));
  const actions = Object.entries(observed.objects).flatMap(([ref, { uid, appliedHash: hash }]): Action[] => {
    const [kind = '', name = ''] = ref.split('/');
    const apiVersion = OWNED_KINDS.find((owned) => owned.kind === kind)?.apiVersion;
    if (names.has(ref) || hash === '' || kind === 'Secret' || apiVersion === undefined) return [];
    const why = `${ref} is not wanted any more`;
    return [{ kind: 'deleteObject', ref: { apiVersion, kind, name }, uid, leavesPods: false, why }];
  });
  return { actions, notes: [] };
}
