/** What the planner is told of a cluster's members, out of what the coordinators have. Pure. */
import type {
  CoordinatorMembers,
  Member,
  MemberView,
  PartitionEntry,
  PlacedShard,
  Plan,
  ShardRegistration,
  VerdictRecord,
} from '@ringleader/contracts';
import type { DataPlaneSeen } from '../planning/types.js';

export interface Metadata {
  readonly clusterId: string | null;
  readonly founded: DataPlaneSeen['founded'];
  readonly coordinators: CoordinatorMembers;
  readonly shards: readonly PlacedShard[];
  readonly plan: Plan | null;
  readonly members: readonly Member[];
  readonly verdicts: readonly VerdictRecord[];
  readonly registrations: readonly ShardRegistration[];
  readonly entries: readonly PartitionEntry[];
  readonly unreadable: readonly string[];
}

export function dataPlaneSeen(metadata: Metadata): DataPlaneSeen {
  const { clusterId, founded, coordinators, shards, plan, unreadable } = metadata;
  return {
    ...{ clusterId, founded, coordinators, shards, plan, unreadable },
    members: metadata.members.map((member) => memberView(member, metadata.verdicts)),
    partitionsWithoutMajority: withoutMajority(metadata),
  };
}

function memberView(member: Member, verdicts: readonly VerdictRecord[]): MemberView {
  const { service, id, address, version, startedAt, state } = member;
  const record = verdicts.find((one) => one.service === service && one.id === id);
  return {
    ...{ service, id, address, version, startedAt, state },
    verdict: record?.verdict ?? 'alive',
    verdictSince: record?.since ?? null,
    evidence: record?.votes ?? [],
    phi: null,
    load: null,
  };
}

/** Who leads a partition is told to gateways only; what is known here is whether enough of its replicas run. */
function withoutMajority({ members, verdicts, registrations, entries, unreadable }: Metadata): number | null {
  if (entries.length === 0) return null;
  const down = new Set(
    verdicts.flatMap(({ service, id, verdict }) => (service === 'shard' && verdict === 'down' ? [id] : [])),
  );
  const up = new Set(
    members.filter(({ service, id }) => service === 'shard' && !down.has(id)).map(({ id }) => id),
  );
  const left = new Set(registrations.filter(({ shardId }) => up.has(shardId)).map(({ ordinal }) => ordinal));
  const hasMajority = (set: readonly number[]): boolean =>
    set.filter((ordinal) => left.has(ordinal)).length * 2 > set.length;
  const without = entries.filter(
    ({ replicas, nextReplicas }) => !(hasMajority(replicas) && hasMajority(nextReplicas ?? replicas)),
  ).length;
  // What cannot be read may be of those that are missed.
  return without > 0 && unreadable.length > 0 ? null : without;
}

/** Of what makes a look at the cluster worth while: not of what always changes, as how far a log or a copy is. */
export function digestOf({ coordinators, shards, plan, members, ...rest }: DataPlaneSeen): string {
  const { leader, term, index, joint, applicants } = coordinators;
  return JSON.stringify([
    rest,
    [leader, term, index, joint, applicants],
    coordinators.members.map(({ name, id, role, reachable, corrupt }) => [
      name,
      id,
      role,
      reachable,
      corrupt,
    ]),
    shards.map(({ arriving: _arriving, departing: _departing, since: _since, ...shard }) => shard),
    plan === null ? null : [plan.epoch, plan.paused, plan.blocked, plan.movesTotal],
    members.map(({ service, id, version, state, verdict, startedAt }) => [
      ...[service, id, version, state, verdict, startedAt],
    ]),
  ]);
}
