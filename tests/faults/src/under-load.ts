/**
 * Puts a running cluster under a steady mixed load, does something to it, waits until it serves again, and judges everything
 * that clients saw: histories linearizable, nothing acknowledged lost, every error honest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { checkOperations, kvWithConditions } from '@ringleader/testing-linearizability';
import { Ledger, MixedLoad, RestClient, toHistory } from '@ringleader/testing-workload';
import type { LedgerFindings } from '@ringleader/testing-workload';

export interface LoadedRun {
  readonly name: string;
  readonly url: string;
  readonly seed: number;
  /** What is done to the cluster while the load runs. */
  readonly fault: () => Promise<void>;
  /** Resolves when the cluster calls itself healthy again. */
  readonly recovered: () => Promise<void>;
}

export interface LoadFindings {
  readonly operations: number;
  readonly errors: number;
  /** The longest time in which nobody got anything acknowledged, from the fault on. */
  readonly longestSilenceMs: number;
  readonly verdict: string;
  readonly counterexample: string;
  readonly ledger: LedgerFindings;
  readonly dishonest: readonly string[];
}

const PROCESSES = 8;
const KEYS = 12;
const TIMEOUT_MS = 2_000;
/** Acknowledged operations before the fault, and after the recovery: the fault is then surely in the middle. */
const OPERATIONS_AROUND = 300;

export async function underLoad(run: LoadedRun): Promise<LoadFindings> {
  const client = new RestClient(run.url, PROCESSES + 2);
  const keys = Array.from({ length: KEYS }, (_, i) => `faults/${run.name}/${run.seed}/${i}`);
  const load = new MixedLoad({
    client,
    seed: run.seed,
    processes: PROCESSES,
    keys,
    timeoutMs: TIMEOUT_MS,
    thinkTimeMs: 2,
  });
  const ledger = new Ledger(client, `ledger/${run.name}/${run.seed}`);
  let writing = true;
  const writeLedger = async (): Promise<void> => {
    while (writing) await ledger.append(TIMEOUT_MS);
  };
  try {
    load.start();
    const ledgerDone = writeLedger();
    await reached(() => load.operations.length, OPERATIONS_AROUND);
    const faultAtMs = performance.now();
    await run.fault();
    await run.recovered();
    await reached(() => load.operations.length, load.operations.length + OPERATIONS_AROUND);
    writing = false;
    await Promise.all([load.stop(), ledgerDone]);
    return await judge(load, ledger, faultAtMs);
  } finally {
    writing = false;
    await load.stop();
    await client.close();
  }
}

async function judge(load: MixedLoad, ledger: Ledger, faultAtMs: number): Promise<LoadFindings> {
  const result = checkOperations(kvWithConditions, toHistory(load.operations));
  return {
    operations: load.operations.length,
    errors: load.operations.filter(({ outcome }) => outcome.kind === 'refused' || outcome.kind === 'unknown')
      .length,
    longestSilenceMs: load.longestSilenceMs(faultAtMs),
    verdict: result.verdict,
    counterexample: result.verdict === 'violation' ? result.counterexample : '',
    ledger: await ledger.verify(PROCESSES),
    dishonest: load.dishonest,
  };
}

/** Polls a count that only grows; the test's own time limit bounds it. */
async function reached(count: () => number, wanted: number): Promise<void> {
  while (count() < wanted) await delay(20);
}
