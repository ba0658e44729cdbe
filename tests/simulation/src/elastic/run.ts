/** One run of a cluster that changes its shape, from its seed to its verdict. */
import { InvariantError, seededPrng } from '@ringleader/primitives';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { PaxosRules } from '@ringleader/paxos';
import { checkLinearizable } from '../paxos/client-history.js';
import type { ElasticCheckId } from './checks.js';
import { ElasticCluster } from './elastic-cluster.js';
import { awaitPlans, checkShape, healShape } from './ending.js';
import { scheduleHappenings } from './happenings.js';
import type { ElasticProfile } from './profile.js';
import type { BrokenShape } from './settings.js';

export interface ElasticRun {
  readonly profile: ElasticProfile;
  readonly seed: number;
  readonly broken: BrokenShape;
  readonly rules?: PaxosRules;
  readonly traceCapacity: number;
  /** Only these checks end the run; null is all. */
  readonly counting: ReadonlySet<ElasticCheckId> | null;
}

export interface ElasticReport {
  /** Null where every check held. */
  readonly failure: { readonly check: string; readonly message: string } | null;
  readonly trace: readonly string[];
  readonly summary: string;
}

export function runElastic({ profile, seed, ...options }: ElasticRun): ElasticReport {
  const prng = seededPrng(seed);
  const scene = new ElasticCluster(profile.settings(prng), { ...options, seed: prng.nextUint32() });
  const failure = verdictOf(() => {
    runToTheEnd(scene, seed);
  });
  return { failure, trace: scene.cluster.world.trace.lines(), summary: summaryOf(scene) };
}

function runToTheEnd(scene: ElasticCluster, seed: number): void {
  const { cluster } = scene;
  const { events } = cluster.world;
  scene.start();
  scheduleHappenings(scene, seededPrng(seed ^ 0x656c));
  events.runUntil(cluster.settings.faultyMs + 1);
  healShape(scene);
  awaitPlans(scene);
  checkShape(scene);
  cluster.judge.check(() => {
    checkLinearizable(cluster.history, ({ partition, requestId }) =>
      cluster.ghost.partition(partition).committed.revisionOfRequest(requestId),
    );
  });
}

/** A broken invariant of a core is a verdict like a failed check; anything else is a defect of the harness. */
function verdictOf(run: () => void): ElasticReport['failure'] {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof SimulationFailure) return { check: error.check, message: error.message };
    if (error instanceof InvariantError) return { check: 'invariant', message: error.stack ?? error.message };
    throw error;
  }
}

function summaryOf({ cluster, coordinators, machines }: ElasticCluster): string {
  const { ghost, world, shards } = cluster;
  const committed = [...ghost.partitions].reduce((sum, partition) => sum + partition.committed.top, 0);
  const { stepsTaken, stepsRefused, terms, store } = coordinators;
  const epochs = store.state.map.reduce((sum, { epoch }) => sum + epoch - 1, 0);
  return [
    `${String(committed)} writes committed in ${world.events.now.toFixed(0)} simulated ms`,
    `${String(epochs)} epochs, ${String(stepsTaken)} transactions of ${String(terms)} leaders, ${String(stepsRefused)} refused`,
    `${String(shards.length)} shards in the end, ${String(machines.lost.size)} databases lost`,
  ].join('; ');
}
