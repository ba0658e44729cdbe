/**
 * Rolling updates, pod by pod: whoever is down already first, as it costs nothing; then one that is ready, while all others are; the
 * coordinators' leader last. A pod that does not become ready stops it there. A pod of an old revision that is down is taken even so:
 * after a way back it is the one that is broken, and nobody else would make it anew.
 */
import { act, type Context, NOTHING, note, type Part, together } from './course.js';
import {
  isGroupChanging,
  memberName,
  NUMBERED,
  type Numbered,
  placedShards,
  podsOf,
  seatedMembers,
} from './seen.js';
import type { PlannerRules } from './rules.js';
import type { Action, DataPlaneSeen, PodSeen } from './types.js';

const REASON = 'Updating';
/** Who has been down for so long is not about to come back by itself. */
const LONG_MS = 300_000;

export function rollPods(context: Context): Part {
  for (const component of NUMBERED) {
    if (outdated(context, component).length > 0)
      return together(moves(context, component), roll(context, component));
  }
  return moves(context, null);
}

/** Of another revision than pods that are made now; none where nobody can say yet. */
export function outdated({ observed, rules, shape }: Context, component: Numbered): readonly PodSeen[] {
  const workload = observed.workloads[component];
  if (workload === undefined || !rules.believes(workload)) return [];
  // Whoever has scaled by hand: how many stay is not for that to say.
  const staying = Math.max(workload.replicas, shape.replicas[component]);
  return podsOf(observed, component).filter(
    ({ ordinal, revision }) => revision !== workload.updateRevision && (ordinal ?? 0) <= staying,
  );
}

function roll(context: Context, component: Numbered): Part {
  const pods = podsOf(context.observed, component);
  const old = outdated(context, component);
  const terminating = pods.find(({ isTerminating }) => isTerminating);
  if (terminating !== undefined) {
    return note('doing', REASON, `${terminating.name} is being taken, to be made anew`);
  }
  const down = old.find(({ isReady }) => !isReady);
  if (down !== undefined) return takeDown(context, down);
  const others = shouldBeReady(context, component).filter(({ pod }) => pod?.isReady !== true);
  const [waitedFor] = others;
  if (!context.rules.mayDisturb(others.length) && waitedFor !== undefined) return halted(waitedFor);
  const obstacle = obstacleTo(context, component);
  if (obstacle !== null) return note('doing', REASON, obstacle);
  const next = old.find((pod) => !isLeader(context, pod)) ?? old[0];
  if (next === undefined) return NOTHING;
  return act(evict(next, `${next.name} is to be made anew as it is described now`), REASON);
}

const evict = ({ name, uid }: PodSeen, why: string): Action => ({ kind: 'evict', pod: name, uid, why });

/**
 * Eviction first. It is refused for as long as others are down too: then it is deleted, if nothing runs in it, or nobody waits for it any
 * more; and before the founding, when there is nothing to lose.
 */
function takeDown(context: Context, pod: PodSeen): Part {
  const { observed, rules } = context;
  const why = `${pod.name} is not ready (${pod.trouble}), and is described otherwise now: it is made anew`;
  const others = podsOf(observed, pod.component).filter((other) => other !== pod && !other.isReady);
  const isForLong = observed.nowMs - Date.parse(pod.since) >= LONG_MS;
  const isNeeded = context.isFounded && !rules.isBroken(pod) && !isForLong;
  if (others.length > 0 && !isNeeded) {
    return act({ kind: 'deletePod', pod: pod.name, uid: pod.uid, why }, REASON);
  }
  return act(evict(pod, why), REASON);
}

interface Expected {
  readonly name: string;
  readonly pod: PodSeen | undefined;
}

/** A shard that holds nothing yet need not be there for another to be taken. */
function shouldBeReady({ observed, shape }: Context, component: Numbered): readonly Expected[] {
  const pods = podsOf(observed, component);
  const replicas = Math.max(
    ...[shape.replicas[component], observed.workloads[component]?.replicas ?? 0],
    // Whoever has scaled by hand: those are there still, and one that is down is one less.
    ...pods.map(({ ordinal }) => ordinal ?? 0),
  );
  const placed = component === 'shard' ? placedShards(observed) : null;
  const counts = (ordinal: number): boolean =>
    placed === null || placed.some(({ number, state }) => number === ordinal && state !== 'joining');
  return Array.from({ length: replicas }, (_, i) => i + 1)
    .filter(counts)
    .map((ordinal) => {
      const name = memberName(component, ordinal);
      return { name, pod: pods.find((one) => one.ordinal === ordinal) };
    });
}

function halted({ name, pod }: Expected): Part {
  if (pod === undefined) return note('doing', REASON, `${name} has no pod yet`);
  const message = `${pod.name} is not ready since ${pod.since} (${pod.trouble}): the update waits for it`;
  return note('doing', REASON, message);
}

/** Why a pod that is ready is not taken now though all others are ready. */
function obstacleTo({ observed, rules }: Context, component: Numbered): string | null {
  if (component === 'nats') return null;
  const { data } = observed;
  if (data === null) return 'No coordinator answers: nobody is taken meanwhile';
  if (component === 'coordinator') {
    if (isGroupChanging(observed)) return 'The group of the coordinators is being changed';
    const silent = seatedMembers(observed)?.find(({ reachable }) => !reachable);
    return silent === undefined ? null : `The coordinators’ leader does not hear ${silent.name}`;
  }
  return data.shards.length === 0 ? null : obstacleToShards(data, rules);
}

function obstacleToShards(data: DataPlaneSeen, rules: PlannerRules): string | null {
  if (data.unreadable.length > 0) return 'Records of the coordinators cannot be read';
  if (data.partitionsWithoutMajority !== 0) return 'Partitions are without a majority';
  const lost = lostShards(data);
  if (lost.length > 0) return `What ${lost.join(', ')} held is copied elsewhere first`;
  if (data.plan !== null && !rules.mayRollShards(data.plan)) return 'Moves are paused first';
  return null;
}

function isLeader({ observed }: Context, { component, ordinal }: PodSeen): boolean {
  const leader = observed.data?.coordinators.leader;
  return component === 'coordinator' && memberName('coordinator', ordinal ?? 0) === leader;
}

/** That were given up, or came back on another volume, and in whose place others have not got all yet. */
function lostShards({ shards }: DataPlaneSeen): readonly string[] {
  return shards.flatMap(({ shard, state, replicas }) =>
    state === 'replaced' && replicas > 0 ? [shard] : [],
  );
}

/** Paused while shards are rolled, unless others must take the place of one; and let go after: only what the operator paused itself. */
function moves(context: Context, rolled: Numbered | null): Part {
  const { data } = context.observed;
  const plan = data?.plan ?? null;
  if (data === null || plan === null || data.shards.length === 0) return NOTHING;
  const ifEpoch = plan.epoch;
  const whyNot = whyMovesGoOn(context, data);
  if (plan.paused) {
    if (whyNot === null || !context.rules.isOwnPause(plan)) return NOTHING;
    return act({ kind: 'resumeMoves', ifEpoch, why: whyNot }, REASON);
  }
  if (rolled !== 'shard' || whyNot !== null) return NOTHING;
  return act({ kind: 'pauseMoves', ifEpoch, why: 'Moves are paused while shards are updated' }, REASON);
}

function whyMovesGoOn(context: Context, data: DataPlaneSeen): string | null {
  const [lost] = lostShards(data);
  if (lost !== undefined) return `What ${lost} held is copied elsewhere`;
  return outdated(context, 'shard').length > 0 ? null : 'No shard is to be updated any more';
}
