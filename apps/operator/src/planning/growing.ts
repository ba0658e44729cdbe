/**
 * Volumes that are to be larger, smaller, or there at all. What the API server would refuse is not asked: people are told what is in the
 * way and what they can do, and each look asks anew whether it still is. No volume is deleted for its size.
 */
import { type Context, type Part, together } from './course.js';
import { quantityBytes } from '../resources/memory.js';
import type { Action, ClaimSeen, Note, Observed } from './types.js';

interface Sized {
  readonly claim: ClaimSeen;
  /** That it is to have. */
  readonly size: string;
}

/** Volumes of which it matters what their storage class allows: they are to grow, or not there yet. */
export function claimsInNeed(seen: Pick<Observed, 'cluster' | 'claims'>): readonly ClaimSeen[] {
  const isInNeed = (one: Sized): boolean => !one.claim.isBound || isToGrow(one);
  return sized(seen).flatMap((one) => (isInNeed(one) ? [one.claim] : []));
}

export function sizeVolumes({ observed }: Context): Part {
  const all = sized(observed);
  return together({ actions: [], notes: without(observed, all) }, grow(observed, all.filter(isToGrow)), {
    actions: [],
    notes: shrink(all.filter(({ claim, size }) => isMore(claim.size, size))),
  });
}

/** Those that stay, with what they are to have. */
function sized({ cluster, claims }: Pick<Observed, 'cluster' | 'claims'>): readonly Sized[] {
  const { shards, coordinators } = cluster.spec;
  const sizes: Readonly<Record<string, string>> = {
    shard: shards.storage.size,
    coordinator: coordinators.storage.size,
  };
  return claims
    .filter(({ isTerminating }) => !isTerminating)
    .map((claim) => ({ claim, size: sizes[claim.component] ?? claim.size }));
}

const isToGrow = ({ claim, size }: Sized): boolean => isMore(size, claim.size);

function isMore(wanted: string, present: string): boolean {
  const [more, less] = [quantityBytes(wanted), quantityBytes(present)];
  return more !== null && less !== null && more > less;
}

/** For whom nobody makes a volume. Where there is a class it is a matter of time, or the pods say what is wrong. */
function without({ missingClasses, claims }: Observed, all: readonly Sized[]): readonly Note[] {
  const isInVain = ({ claim: { isBound, storageClass } }: Sized): boolean =>
    !isBound && (storageClass === '' || missingClasses.includes(storageClass));
  const hasNothing = claims.every(({ isBound }) => !isBound);
  const orAnew = hasNothing ? ', or delete the cluster, which has nothing yet, and name another' : '';
  return [...byClass(all.filter(isInVain))].map(([storageClass, these]): Note => {
    const why =
      storageClass === ''
        ? 'No storage class is named or is the default; make one the default, or a volume for each of these'
        : `The storage class ${storageClass} is not there; make it, or a volume of it for each of these${orAnew}`;
    const message = `${why}. They have no volume: ${namesOf(these)}`;
    return { kind: 'amiss', reason: 'StorageClassMissing', message };
  });
}

function grow(observed: Observed, growing: readonly Sized[]): Part {
  const bound = growing.filter(({ claim }) => claim.phase === 'Bound');
  const obstacles = new Map<string, string>();
  for (const { claim } of bound) {
    const obstacle = obstacleOf(observed, claim.storageClass);
    if (obstacle !== null) obstacles.set(claim.storageClass, obstacle);
  }
  const actions = bound
    .filter(({ claim }) => !obstacles.has(claim.storageClass))
    .map(({ claim: { name, uid, size: before }, size }): Action => {
      return { kind: 'growClaim', claim: name, uid, size, why: `${name} grows from ${before} to ${size}` };
    });
  const stay = byClass(bound.filter(({ claim }) => obstacles.has(claim.storageClass)));
  const refused = [...stay].map(([storageClass, these]): Note => {
    const message = `${obstacles.get(storageClass)}. Until then these stay as they are, and only new ones are larger: ${namesOf(these)}`;
    return { kind: 'refused', reason: 'VolumesCannotGrow', message };
  });
  const waiting = growing.filter((one) => !bound.includes(one));
  return { actions, notes: [...refused, ...(waiting.length > 0 ? [waits(waiting)] : [])] };
}

/** Why no volume of this class grows, and what can be done; null: nothing is known to be in the way. */
function obstacleOf({ fixedClasses, missingClasses }: Observed, storageClass: string): string | null {
  if (storageClass === '')
    return 'Volumes of no storage class cannot grow; make larger ones, on which their members can begin anew one by one';
  if (missingClasses.includes(storageClass))
    return `The storage class ${storageClass} is not there any more, and without it no volume of it grows; make it again`;
  if (fixedClasses.includes(storageClass))
    return `The storage class ${storageClass} lets no volume grow; set its allowVolumeExpansion, if its driver can do that`;
  return null;
}

/** The API server lets nothing else grow. */
function waits(waiting: readonly Sized[]): Note {
  const message = `These have no volume yet, and grow once they have: ${namesOf(waiting)}`;
  return { kind: 'doing', reason: 'WaitingForVolumes', message };
}

/** As after a cluster is made anew on the larger volumes of one before: in one that is there its definition lets no size shrink. */
function shrink(larger: readonly Sized[]): readonly Note[] {
  if (larger.length === 0) return [];
  const sizes = [...new Set(larger.map(({ size }) => size))].sort().join(' and ');
  const message = `Volumes never shrink: these stay as they are, larger than the ${sizes} that storage.size asks for; raise it to what they have: ${namesOf(larger)}`;
  return [{ kind: 'refused', reason: 'VolumesCannotShrink', message }];
}

const byClass = (these: readonly Sized[]): ReadonlyMap<string, readonly Sized[]> =>
  Map.groupBy(these, ({ claim: { storageClass } }) => storageClass);

function namesOf(these: readonly Sized[]): string {
  return these
    .map(({ claim: { name, size } }) => `${name} (${size})`)
    .sort()
    .join(', ');
}
