/** One run from its seed to its verdict. */
import type { PaxosRules } from '@ringleader/paxos';
import { InvariantError, seededPrng } from '@ringleader/primitives';
import type { CheckId } from './checks.js';
import { SimulationFailure } from '@ringleader/testing-simulation';
import { checkLinearizable } from './client-history.js';
import type { BrokenSurroundings } from './settings.js';
import { Cluster } from './cluster.js';
import { scheduleEpochChanges, schedulePlannedRestarts } from './operators.js';
import type { Profile } from './profile.js';
import { readEverywhere } from './last-reads.js';
import { runScript } from './script.js';
import { checkRecovery, healEverything } from './recovery.js';
import type { AnswerCounts } from './shard-observer.js';

export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly rules?: PaxosRules;
  readonly broken?: BrokenSurroundings;
  readonly traceCapacity?: number;
  /** Only these checks end the run; null is all. */
  readonly counting?: ReadonlySet<CheckId> | null;
}

export interface RunReport {
  /** Null where every check held. */
  readonly failure: { readonly check: string; readonly message: string } | null;
  /** Failed checks that did not count. */
  readonly passedOver: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  readonly simulatedMs: number;
  readonly committed: number;
  readonly answers: AnswerCounts;
}

export function runPaxos(options: RunOptions): RunReport {
  const prng = seededPrng(options.seed);
  const settings = options.profile.settings(prng);
  const { seed, rules, broken, traceCapacity, counting } = options;
  const cluster = new Cluster(settings, {
    seed: prng.nextUint32(),
    ...(rules === undefined ? {} : { rules }),
    ...(broken === undefined ? {} : { broken }),
    ...(traceCapacity === undefined ? {} : { traceCapacity }),
    counting: counting ?? null,
  });
  const failure = verdictOf(() => {
    runToTheEnd(cluster, options.profile, seed);
  });
  const committed = [...cluster.ghost.partitions].reduce((sum, ghost) => sum + ghost.committed.top, 0);
  return {
    failure,
    passedOver: cluster.judge.passedOver,
    trace: cluster.world.trace.lines(),
    simulatedMs: cluster.world.events.now,
    committed,
    answers: cluster.observer.answers,
  };
}

function runToTheEnd(cluster: Cluster, profile: Profile, seed: number): void {
  const { events } = cluster.world;
  cluster.start();
  const operators = seededPrng(seed ^ 0x6f70);
  schedulePlannedRestarts(cluster, operators);
  scheduleEpochChanges(cluster, operators);
  if (profile.script !== undefined) runScript(profile.script, cluster, seededPrng(seed ^ 0x7363));
  events.runUntil(cluster.settings.faultyMs + 1);
  healEverything(cluster);
  cluster.workload.stop();
  cluster.judge.check(() => {
    checkRecovery(cluster);
  });
  if (cluster.settings.lastReads) readEverywhere(cluster, seededPrng(seed ^ 0x6c72));
  cluster.judge.check(() => {
    checkLinearizable(cluster.history, ({ partition, requestId }) =>
      cluster.ghost.partition(partition).committed.revisionOfRequest(requestId),
    );
  });
}

/** A broken invariant of the core is a verdict like a failed check; anything else is a defect of the harness. */
function verdictOf(run: () => void): RunReport['failure'] {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof SimulationFailure) return { check: error.check, message: error.message };
    if (error instanceof InvariantError) return { check: 'invariant', message: error.stack ?? error.message };
    throw error;
  }
}
