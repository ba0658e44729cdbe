/** A cluster under load while something is done to it: what all such scenarios demand. */
import { expect } from '@jest/globals';
import { describeLoad, underLoad, type LoadFindings } from '@ringleader/testing-workload';
import type { ClusterUnderTest } from './cluster-under-test.js';
import type { TimeLine } from './time-line.js';

export interface Survival {
  readonly name: string;
  /** What is done; resolves when it is done and the cluster has settled again. */
  readonly fault: () => Promise<void>;
  /** Over how many keys operations meet: more for long runs, whose histories would else be too long to check. */
  readonly keys?: number;
  /** Whether whoever repeats gets through all the time: not where everything stands for a while. */
  readonly isPatient?: boolean;
}

const TIMEOUT_MS = 5_000;

/** Histories are linearizable, nothing acknowledged is lost, every answer is honest, and whoever repeats gets through. */
export async function survive(
  cluster: ClusterUnderTest,
  line: TimeLine,
  { name, fault, keys = 120, isPatient = true }: Survival,
): Promise<LoadFindings> {
  const seed = Date.now() % 1_000_000;
  const findings = await underLoad({
    name,
    seed,
    keys,
    connect: (connections) => cluster.client(connections),
    timeoutMs: TIMEOUT_MS,
    thinkTimeMs: 25,
    processes: 4,
    fault: async () => {
      line.mark('under load');
      await fault();
      line.mark('settled again');
    },
    recovered: () => Promise.resolve(),
  });
  line.mark(describeLoad(findings));
  const { verdict, counterexample, dishonest, ledger, patient } = findings;
  expect({
    seed,
    verdict,
    counterexample,
    dishonest,
    lost: ledger.violations,
    failed: isPatient ? patient.failures : [],
  }).toEqual({
    ...{ seed, verdict: 'linearizable', counterexample: '', dishonest: [], lost: [], failed: [] },
  });
  expect(ledger.acknowledged).toBeGreaterThan(0);
  return findings;
}
