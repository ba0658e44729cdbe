/** What people and the coordinator do to a cluster while it works: planned restarts, and changes of the map. */
import type { MoveReport, PartitionAssignment } from '@ringleader/paxos';
import type { PartitionIndex, Prng, ShardOrdinal } from '@ringleader/primitives';
import { fail } from './checks.js';
import type { Cluster } from './cluster.js';

export function schedulePlannedRestarts(cluster: Cluster, prng: Prng): void {
  const { plannedRestartMs } = cluster.settings.faults;
  if (plannedRestartMs === 0) return;
  repeatedly(cluster, prng, plannedRestartMs, () => {
    const shard = cluster.shards[prng.nextBelow(cluster.shards.length)] as ShardOrdinal;
    const node = cluster.world.node(shard);
    if (!node.isUp || node.isPaused) return;
    cluster.processes.get(shard)?.leave();
    const life = node.life;
    const endsMs = 5 + prng.nextFloat() * 60;
    cluster.world.events.after(endsMs / 2, () => {
      if (node.life === life && !node.isPaused) cluster.processes.get(shard)?.releaseAll();
    });
    cluster.world.events.after(endsMs, () => {
      if (node.life === life) node.crash();
    });
    cluster.world.events.after(80 + prng.nextFloat() * 200, () => {
      node.start();
    });
  });
}

/** Each partition goes round: another preferred leader, a learner, a joint change, settled or abandoned. */
export function scheduleEpochChanges(cluster: Cluster, prng: Prng): void {
  const { epochChangeMs } = cluster.settings.faults;
  if (epochChangeMs === 0) return;
  repeatedly(cluster, prng, epochChangeMs, () => {
    const partition = prng.nextBelow(cluster.settings.cluster.partitions);
    const { nextReplicas, learners } = cluster.map.entry(partition);
    if (nextReplicas !== null) endJoint(cluster, prng, partition, nextReplicas);
    else if (learners.length > 0) beginJoint(cluster, prng, partition, learners);
    else changeSingle(cluster, prng, partition);
  });
}

/** docs/PROTOCOL.md 6.1: one more replica learns, where there is one; else another one should lead. */
function changeSingle(cluster: Cluster, prng: Prng, partition: PartitionIndex): void {
  const { replicas } = cluster.map.entry(partition);
  const outsiders = cluster.shards.filter((shard) => !replicas.includes(shard));
  const outsider = outsiders[prng.nextBelow(Math.max(1, outsiders.length))];
  if (outsider !== undefined && prng.nextBelow(3) > 0) {
    cluster.map.change(partition, { learners: [outsider] });
  } else {
    cluster.map.change(partition, { preferredLeader: drawFrom(prng, replicas) });
  }
}

/** docs/PROTOCOL.md 6.2. That its data are there already is for speed only, so there are some who do not wait. */
function beginJoint(
  cluster: Cluster,
  prng: Prng,
  partition: PartitionIndex,
  learners: readonly ShardOrdinal[],
): void {
  const entry = cluster.map.entry(partition);
  const { replicas } = entry;
  const isCaughtUp = reportsOf(cluster, entry).some((report) =>
    report.learners.every(({ caughtUp }) => caughtUp),
  );
  const leaving = drawFrom(prng, replicas);
  const nextReplicas = [...replicas.filter((shard) => shard !== leaving), ...learners];
  if (cluster.broken.skipsJoint === true) {
    cluster.map.change(partition, { replicas: nextReplicas, learners: [] });
  } else if (prng.nextBelow(4) === 0) {
    cluster.map.change(partition, { learners: [] });
  } else if (isCaughtUp || prng.nextBelow(2) === 0) {
    cluster.map.change(partition, { nextReplicas, learners: [] });
  }
}

/** docs/PROTOCOL.md 6.3, 6.4: settled on a committed barrier at exactly this epoch only; abandoned at any time. */
function endJoint(
  cluster: Cluster,
  prng: Prng,
  partition: PartitionIndex,
  nextReplicas: readonly ShardOrdinal[],
): void {
  const entry = cluster.map.entry(partition);
  const isReported = reportsOf(cluster, entry).some(({ ready }) => ready);
  const isReady =
    isReported ||
    cluster.broken.settlesUnproven === true ||
    (prng.nextBelow(2) === 0 && isProven(cluster, entry));
  if (isReady && prng.nextBelow(4) > 0) {
    const preferredLeader = nextReplicas.includes(entry.preferredLeader)
      ? entry.preferredLeader
      : drawFrom(prng, nextReplicas);
    cluster.map.change(partition, { replicas: nextReplicas, nextReplicas: null, preferredLeader });
  } else if (prng.nextBelow(4) === 0) {
    cluster.map.change(partition, { nextReplicas: null });
  }
}

/** All that safety asks for. Leaders report later, when the new set follows them: more is found where it does not. */
function isProven(cluster: Cluster, { partition, epoch }: PartitionAssignment): boolean {
  const leader = cluster.leaderOf(partition);
  return leader !== null && cluster.status(leader, partition)?.epoch === epoch;
}

/** What shards say of the present epoch of a partition: of several leaders all but one are deposed, and right as well. */
function reportsOf(cluster: Cluster, entry: PartitionAssignment): MoveReport[] {
  const { partition, epoch } = entry;
  const up = cluster.shards.filter((shard) => cluster.world.node(shard).isUp);
  const reports = up
    .flatMap((shard) => cluster.processes.get(shard)?.core.moves() ?? [])
    .filter((report) => report.partition === partition && report.epoch === epoch);
  cluster.judge.check(() => {
    for (const report of reports) checkReport(cluster, entry, report);
  });
  return reports;
}

/** Positions go forward only within an epoch, so that what was reported holds for as long as the epoch is the present one. */
function checkReport(cluster: Cluster, entry: PartitionAssignment, report: MoveReport): void {
  const { partition, replicas, nextReplicas } = entry;
  const follows = (shard: ShardOrdinal): boolean =>
    (cluster.database(shard).records.get(partition)?.position.ballot ?? 0) >= report.ballot;
  for (const { ordinal, caughtUp } of report.learners) {
    if (caughtUp && !follows(ordinal)) {
      fail('move reports', `learner ${String(ordinal)} is not at ballot ${String(report.ballot)}`);
    }
  }
  if (!report.ready) return;
  for (const set of [replicas, nextReplicas ?? []]) {
    if (set.filter(follows).length * 2 > set.length) continue;
    fail('move reports', `ready without a majority of ${set.join(', ')} at ballot ${String(report.ballot)}`);
  }
}

function drawFrom(prng: Prng, set: readonly ShardOrdinal[]): ShardOrdinal {
  return set[prng.nextBelow(set.length)] as ShardOrdinal;
}

function repeatedly(cluster: Cluster, prng: Prng, meanMs: number, act: () => void): void {
  const { events } = cluster.world;
  const next = (): void => {
    events.after(meanMs * 2 * prng.nextFloat(), () => {
      if (events.now >= cluster.settings.faultyMs) return;
      act();
      next();
    });
  };
  next();
}
