/**
 * Volumes: on which something was founded, and which nobody needs any more. A volume is given up when its member is not in the cluster
 * any more, as the coordinators say it; who does it asks them again. As long as nobody can say, all are kept.
 */
import { act, type Context, NOTHING, type Part, together } from './course.js';
import { applicantSeats, claimsOf, memberName, placedShards, podAt, seatedMembers } from './seen.js';
import type { Action, ClaimSeen } from './types.js';

const KEEPERS = ['coordinator', 'shard'] as const;
type Keeper = (typeof KEEPERS)[number];
const REASON = 'RemovingVolumes';

export function markFounded({ observed }: Context): Part {
  const members = seatedMembers(observed);
  const waiting = new Set(applicantSeats(observed).map(({ seat }) => seat));
  // Learners too: one that is removed never comes back with what it has learnt.
  const seats = members?.map(({ seat }) => seat).filter((seat) => !waiting.has(seat)) ?? [];
  const shards = placedShards(observed);
  const founded: Readonly<Record<Keeper, readonly number[]>> = {
    coordinator: seats,
    shard: shards?.map(({ number }) => number) ?? [],
  };
  const claims = KEEPERS.flatMap((keeper) =>
    claimsOf(observed, keeper)
      .filter(({ isFounded, isRemoved, isTerminating }) => (!isFounded || isRemoved) && !isTerminating)
      .filter(({ ordinal }) => founded[keeper].includes(ordinal))
      .map(({ name }) => name),
  );
  if (claims.length === 0) return NOTHING;
  const why = `Members live on them, so they are empty no more: ${claims.join(', ')}`;
  return { actions: [{ kind: 'markFounded', claims, why }], notes: [] };
}

/** Before their pods go: once nobody can be asked, none is made anew for a volume on which nobody lives any more. */
export function markRemoved(context: Context): Part {
  const marks = KEEPERS.flatMap((keeper) =>
    claimsOf(context.observed, keeper)
      .filter(({ isFounded, isRemoved, isTerminating }) => isFounded && !isRemoved && !isTerminating)
      .filter((claim) => claim.ordinal > context.shape.replicas[keeper] && isGivenUp(context, keeper, claim))
      .map(({ name, uid, ordinal }): Action => {
        const member = memberName(keeper, ordinal);
        return { kind: 'markRemoved', claim: name, uid, member, why: `${member} was removed: its pod goes` };
      }),
  );
  return { actions: marks, notes: [] };
}

export function giveUpClaims(context: Context): Part {
  return together(
    ...KEEPERS.flatMap((keeper) =>
      claimsOf(context.observed, keeper).map((claim) => giveUp(context, keeper, claim)),
    ),
  );
}

function giveUp(context: Context, keeper: Keeper, claim: ClaimSeen): Part {
  const { observed, shape } = context;
  const member = memberName(keeper, claim.ordinal);
  if (!isGivenUp(context, keeper, claim)) return NOTHING;
  const present = observed.workloads[keeper]?.replicas ?? 0;
  if (claim.ordinal <= shape.replicas[keeper]) return beginAnew(context, claim, member);
  if (claim.ordinal <= present) return NOTHING;
  if (podAt(observed, keeper, claim.ordinal) !== undefined || claim.isTerminating) return NOTHING;
  return act(deletion(claim, member, `${member} is no member any more, and its pod is gone`), REASON);
}

function isGivenUp(context: Context, keeper: Keeper, { ordinal }: ClaimSeen): boolean {
  const { isFounded, rules } = context;
  return isFounded && rules.isGivenUp(memberName(keeper, ordinal), membersOf(context, keeper));
}

/** Its number is wanted, but who lived on the volume was removed for ever: it comes back as a new one, on a new volume. */
function beginAnew(context: Context, claim: ClaimSeen, member: string): Part {
  const { component, ordinal, isFounded, isTerminating } = claim;
  const pod = podAt(context.observed, component, ordinal);
  if (!isFounded || pod?.isReady === true || isApplicant(context, claim)) return NOTHING;
  const why = `${member} was removed, and what is on its volume never comes back: it begins anew`;
  const deletes = isTerminating ? NOTHING : act(deletion(claim, member, why), REASON);
  // A pod without a node has not taken the volume: it waits for a new one.
  if (pod === undefined || pod.isTerminating || pod.node === '') return deletes;
  return together(deletes, act({ kind: 'deletePod', pod: pod.name, uid: pod.uid, why }, REASON));
}

function deletion({ name, uid }: ClaimSeen, member: string, why: string): Action {
  return { kind: 'deleteClaim', claim: name, uid, member, why };
}

function membersOf({ observed }: Context, keeper: Keeper): readonly string[] | null {
  if (keeper === 'coordinator') return seatedMembers(observed)?.map(({ name }) => name) ?? null;
  // All that placement lists, those too that were given up and still hold something.
  return placedShards(observed) === null ? null : (observed.data?.shards.map(({ shard }) => shard) ?? null);
}

function isApplicant({ observed }: Context, { component, ordinal }: ClaimSeen): boolean {
  return component === 'coordinator' && applicantSeats(observed).some(({ seat }) => seat === ordinal);
}
