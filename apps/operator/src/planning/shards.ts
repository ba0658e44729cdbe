/**
 * Which shards are drained, taken back or forgotten. Fewer: the one with the highest number first, one at a time, and nothing is
 * taken from under it: it is drained, then removed at the coordinators, and only then are its pod and its volume superfluous.
 */
import { act, type Context, NOTHING, note, type Part } from './course.js';
import { memberName, type NumberedShard, placedShards } from './seen.js';
import type { Note, Observed } from './types.js';

const REASON_IN = 'ScalingIn';

export function placeShards(context: Context): Part {
  const { observed } = context;
  const placed = placedShards(observed);
  const epoch = observed.data?.plan?.epoch;
  if (placed === null || epoch === undefined) return awaitMap(context);
  const wanted = observed.cluster.spec.shards.replicas;
  const regretted = placed.find(
    ({ number, state }) => number <= wanted && (state === 'draining' || state === 'drained'),
  );
  if (regretted !== undefined) {
    const { shard, state } = regretted;
    const why = `${shard} is ${state}, and ${wanted} shards are asked for: it stays`;
    return act({ kind: 'undrainShard', shard, ifEpoch: epoch, why }, 'ScalingOut');
  }
  const [surplus] = placed;
  if (surplus === undefined || surplus.number <= wanted) return awaitNewcomers(context, placed);
  return scaleIn(context, { placed, surplus, epoch });
}

function awaitMap({ observed, shape }: Context): Part {
  if (observed.data === null) return NOTHING;
  const message = `The first map is made once ${shape.initialShards} shards have registered`;
  return note('doing', 'WaitingForShards', message);
}

function awaitNewcomers({ observed, shape }: Context, placed: readonly NumberedShard[]): Part {
  const wanted = observed.cluster.spec.shards.replicas;
  if (shape.replicas.shard < wanted) {
    const next = memberName('shard', shape.replicas.shard + 1);
    return note('doing', 'ScalingOut', `${next} is made once the volume of the one before it is gone`);
  }
  const missing = Array.from({ length: wanted }, (_, i) => i + 1).filter(
    (number) => !placed.some((shard) => shard.number === number && shard.state !== 'joining'),
  );
  if (missing.length === 0) return NOTHING;
  const names = missing.map((number) => memberName('shard', number));
  return note('doing', 'ScalingOut', `Not there yet: ${names.join(', ')}`);
}

interface ScaleIn {
  readonly placed: readonly NumberedShard[];
  readonly surplus: NumberedShard;
  readonly epoch: number;
}

function scaleIn(context: Context, { placed, surplus, epoch }: ScaleIn): Part {
  const { rules, observed } = context;
  const { shard, state, since, removable } = surplus;
  const { replicas: wanted } = observed.cluster.spec.shards;
  if (rules.mayRemoveShard(state) && removable) {
    const why = `${shard} holds nothing any more, and ${wanted} shards are asked for`;
    return act({ kind: 'removeShard', shard, ifEpoch: epoch, why }, REASON_IN);
  }
  if (state === 'drained' || state === 'replaced' || state === 'draining') {
    return note('doing', REASON_IN, `${shard} is ${state} since ${since}${holdUp(context, surplus)}`);
  }
  const others = placed.filter(
    (other) => other !== surplus && other.state === 'active' && other.verdict !== 'down',
  ).length;
  const { replicationFactor } = observed.cluster.spec;
  if (!rules.isEnough(others, replicationFactor)) {
    const message = `${shard} is not drained: without it ${others} shards would be active and not down, and each partition needs ${replicationFactor}`;
    return note('refused', 'ReplicationAtRisk', message);
  }
  const why = `${shard} is to go: ${wanted} shards are asked for`;
  return act({ kind: 'drainShard', shard, ifEpoch: epoch, why }, REASON_IN);
}

/** What a drain may be waiting for. */
function holdUp({ observed }: Context, { state, notRemovable }: NumberedShard): string {
  const plan = observed.data?.plan;
  const reasons = [
    plan?.paused === true ? 'moves are paused' : null,
    plan?.blocked ?? null,
    state === 'drained' ? notRemovable : null,
  ].filter((reason) => reason !== null);
  return reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
}

/**
 * A cluster that is made anew on volumes that were kept has the map that they have. In a cluster that is there the API server
 * lets nobody ask for another.
 */
export function foundedOtherwise({ cluster, data }: Pick<Observed, 'cluster' | 'data'>): Note[] {
  const founded = data?.founded ?? null;
  if (founded === null) return [];
  const { partitions, replicationFactor } = cluster.spec;
  const asked = { partitions, replicationFactor };
  return (['partitions', 'replicationFactor'] as const)
    .filter((name) => asked[name] !== founded[name])
    .map((name) => ({
      kind: 'refused',
      reason: 'FoundedOtherwise',
      message: `The data were founded with ${name} ${founded[name]}, and keep it: ${asked[name]} is asked for. Ask for ${founded[name]}, or export, delete and import into a new cluster`,
    }));
}
