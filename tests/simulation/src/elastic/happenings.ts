/** What befalls the cluster while it works: faults of machines and networks, and what people do. */
import type { Command } from '@ringleader/placement';
import type { Prng } from '@ringleader/primitives';
import { drawFault, scheduleFault } from '@ringleader/testing-simulation';
import type { ElasticCluster } from './elastic-cluster.js';
import type { Machine } from './shard-machine.js';
import type { Happening } from './settings.js';

type Act = (scene: ElasticCluster, prng: Prng) => void;

export function scheduleHappenings(scene: ElasticCluster, prng: Prng): void {
  for (const [happening, act] of Object.entries(ACTS) as [Happening, Act][]) {
    const meanMs = scene.settings.every[happening];
    if (meanMs > 0) repeatedly(scene, prng, meanMs, act);
  }
}

function repeatedly(scene: ElasticCluster, prng: Prng, meanMs: number, act: Act): void {
  const { events } = scene.cluster.world;
  const next = (): void => {
    events.after(meanMs * 2 * prng.nextFloat(), () => {
      if (events.now >= scene.cluster.settings.faultyMs) return;
      act(scene, prng);
      next();
    });
  };
  next();
}

const ACTS: Readonly<Record<Happening, Act>> = {
  fault: ({ cluster, settings }, prng) => {
    const { faultKinds, faultDurationMaxMs } = settings;
    const { world, plan } = cluster;
    const kind = faultKinds[prng.nextBelow(faultKinds.length)];
    if (kind === undefined) return;
    const { wallSkewMaxMs } = cluster.settings.faults;
    const fault = drawFault(prng, kind, { nodes: cluster.shards, faultDurationMaxMs, wallSkewMaxMs });
    const durationMs = Math.max(1, faultDurationMaxMs * prng.nextFloat() ** 2);
    const setStorageLatency = (node: number, latency: typeof plan.storage): void =>
      cluster.stores.get(node)?.setLatency(latency);
    scheduleFault(world, plan, { setStorageLatency }, { startsAtMs: world.events.now, durationMs, fault });
  },

  kill: (scene, prng) => {
    const machine = drawMachine(scene, prng);
    if (machine === null) return;
    takeDown(scene, prng, machine);
    const other = drawMachine(scene, prng);
    if (other !== null && prng.nextBelow(5) === 0) takeDown(scene, prng, other);
  },

  lostDatabase: (scene, prng) => {
    for (const one of scene.machines.all()) scene.machines.copyDatabase(one);
    const machine = drawMachine(scene, prng);
    if (machine === null || machine.copies.length === 0 || !scene.canLose(machine)) return;
    scene.machines.kill(machine);
    scene.machines.restoreDatabase(machine, prng);
    scene.startAfter(machine, 5 + prng.nextFloat() ** 2 * 300);
  },

  cutFromCoordinators: (scene, prng) => {
    const machine = drawMachine(scene, prng);
    if (machine === null) return;
    const durationMs = 50 + prng.nextFloat() ** 2 * 1_500;
    scene.links.cut(machine.name, durationMs);
    scene.cluster.withholdMapFrom(machine.ordinal, durationMs);
  },

  leaderChange: ({ coordinators }) => {
    coordinators.depose();
  },

  wrongVerdict: (scene, prng) => {
    const machine = drawMachine(scene, prng);
    if (machine !== null) scene.detectors.err(machine, 50 + prng.nextFloat() ** 2 * 1_200);
  },

  join: (scene, prng) => {
    const { machinesMax, zones } = scene.settings;
    if (scene.machines.all().length >= machinesMax) return;
    scene.machines.join(zones[prng.nextBelow(zones.length)] ?? '', 1);
  },

  drain: (scene, prng) => {
    order(scene, prng, (shard) => ({ kind: 'drain', shard }));
  },
  undrain: (scene, prng) => {
    order(scene, prng, (shard) => ({ kind: 'undrain', shard }));
  },
  remove: (scene, prng) => {
    order(scene, prng, (shard) => ({ kind: 'remove', shard }));
  },
  weight: (scene, prng) => {
    order(scene, prng, (shard) => ({ kind: 'weight', shard, weight: 0.5 + prng.nextBelow(4) * 0.5 }));
  },

  pause: ({ coordinators, cluster }, prng) => {
    if (!coordinators.command({ kind: 'pause' })) return;
    cluster.world.events.after(50 + prng.nextFloat() * 400, () => {
      coordinators.command({ kind: 'resume' });
    });
  },

  cancel: ({ coordinators, cluster }, prng) => {
    const partition = prng.nextBelow(cluster.settings.cluster.partitions);
    coordinators.command(prng.nextBelow(4) === 0 ? { kind: 'cancel' } : { kind: 'cancel', partition });
  },

  limits: ({ coordinators }, prng) => {
    const limits = { movesMax: 1 + prng.nextBelow(4), bytesPerSecondMax: 500 * 4 ** prng.nextBelow(5) };
    coordinators.command({ kind: 'limits', limits });
  },
};

/** Most come back soon; some are away for so long that their place is given to others. */
function takeDown(scene: ElasticCluster, prng: Prng, machine: Machine): void {
  scene.machines.kill(machine);
  const { replaceAfterMs } = scene.settings.limits;
  const isLong = prng.nextBelow(3) === 0;
  scene.startAfter(machine, isLong ? prng.nextFloat() * replaceAfterMs * 3 : 20 + prng.nextFloat() * 400);
}

function order(scene: ElasticCluster, prng: Prng, command: (shard: string) => Command): void {
  const all = scene.machines.all();
  const machine = all[prng.nextBelow(all.length)];
  if (machine !== undefined) scene.coordinators.command(command(machine.name));
}

function drawMachine(scene: ElasticCluster, prng: Prng): Machine | null {
  const up = scene.machines.all().filter(({ isDown }) => !isDown);
  return up[prng.nextBelow(Math.max(1, up.length))] ?? null;
}
