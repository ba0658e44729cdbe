/**
 * Puts a running cluster under a steady mixed load, does something to it, waits until it serves again, and judges everything
 * that clients saw: histories linearizable, nothing acknowledged lost, every error honest.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { checkOperations, kvWithConditions } from '@ringleader/testing-linearizability';
import { Ledger, type LedgerFindings } from './ledger.js';
import { MixedLoad } from './mixed-load.js';
import { PatientClient, type PatientFindings } from './patient-client.js';
import type { RestClient } from './rest-client.js';
import { toHistory } from './to-history.js';
import { waitsOf, type Waits } from './waits.js';

export interface LoadedRun {
  readonly name: string;
  /** With so many connections; the run closes it. */
  readonly connect: (connections: number) => Promise<RestClient> | RestClient;
  readonly seed: number;
  /** Over how many keys operations meet; more for long runs, whose histories would else be too long to check. */
  readonly keys?: number;
  /** What is done to the cluster while the load runs. */
  readonly fault: () => Promise<void>;
  /** Resolves when the cluster calls itself healthy again. */
  readonly recovered: () => Promise<void>;
  /** Each with one operation at a time. */
  readonly processes?: number;
  readonly timeoutMs?: number;
  readonly thinkTimeMs?: number;
}

export interface LoadFindings extends Waits {
  readonly operations: number;
  readonly errors: number;
  /** How often each of their codes came. */
  readonly codes: Readonly<Record<string, number>>;
  /**
   * The longest time that any client was without an acknowledged operation, from the fault on; less by what the test itself
   * was late, which it cannot tell from a late answer.
   */
  readonly longestSilenceMs: number;
  /** By how much the test itself was late at most: the waits hold that too. */
  readonly latenessMs: number;
  /** For whoever repeats. */
  readonly patient: PatientFindings;
  readonly verdict: string;
  readonly counterexample: string;
  readonly ledger: LedgerFindings;
  readonly dishonest: readonly string[];
}

const PROCESSES = 8;
const KEYS = 12;
const TIMEOUT_MS = 2_000;
const THINK_TIME_MS = 2;
/** Acknowledged operations before the fault, and after the recovery: the fault is then surely in the middle. */
const OPERATIONS_AROUND = 300;
const NS_PER_MS = 1e6;

export async function underLoad(run: LoadedRun): Promise<LoadFindings> {
  const { name, seed, processes = PROCESSES, timeoutMs = TIMEOUT_MS, thinkTimeMs = THINK_TIME_MS } = run;
  const client = await run.connect(processes + 3);
  const keys = Array.from({ length: run.keys ?? KEYS }, (_, i) => `faults/${name}/${seed}/${i}`);
  const load = new MixedLoad({ client, seed, processes, keys, timeoutMs, thinkTimeMs });
  const ledger = new Ledger(client, `ledger/${name}/${seed}`);
  const patient = new PatientClient(client, `patient/${name}/${seed}`);
  const lag = monitorEventLoopDelay({ resolution: 10 });
  let writing = true;
  const writeLedger = async (): Promise<void> => {
    while (writing) {
      await ledger.append(timeoutMs);
      await delay(thinkTimeMs);
    }
  };
  try {
    load.start();
    patient.start();
    const ledgerDone = writeLedger();
    await reached(() => load.operations.length, OPERATIONS_AROUND);
    const faultAtMs = performance.now();
    lag.enable();
    await run.fault();
    await run.recovered();
    await reached(() => load.operations.length, load.operations.length + OPERATIONS_AROUND);
    writing = false;
    await Promise.all([load.stop(), patient.stop(), ledgerDone]);
    lag.disable();
    return await judge({ load, ledger, patient }, { faultAtMs, latenessMs: lag.max / NS_PER_MS });
  } finally {
    writing = false;
    await Promise.all([load.stop(), patient.stop()]);
    await client.close();
  }
}

interface Measured {
  readonly faultAtMs: number;
  readonly latenessMs: number;
}

interface Clients {
  readonly load: MixedLoad;
  readonly ledger: Ledger;
  readonly patient: PatientClient;
}

async function judge(
  { load, ledger, patient }: Clients,
  { faultAtMs, latenessMs }: Measured,
): Promise<LoadFindings> {
  const codes: Record<string, number> = {};
  for (const { outcome } of load.operations) {
    if (outcome.kind === 'refused' || outcome.kind === 'unknown')
      codes[outcome.code] = (codes[outcome.code] ?? 0) + 1;
  }
  const result = checkOperations(kvWithConditions, toHistory(load.operations));
  return {
    operations: load.operations.length,
    errors: Object.values(codes).reduce((sum, count) => sum + count, 0),
    codes,
    longestSilenceMs: Math.max(0, load.longestSilenceMs(faultAtMs) - latenessMs),
    ...waitsOf([...load.asked(), ...patient.asked], faultAtMs),
    latenessMs,
    patient: patient.findings,
    verdict: result.verdict,
    counterexample: result.verdict === 'violation' ? result.counterexample : '',
    ledger: await ledger.verify(PROCESSES),
    dishonest: load.dishonest,
  };
}

/** What a person wants to know of a run, in a line. */
export function describeLoad(findings: LoadFindings): string {
  const { operations, codes, slowestMs, longestWait, longestSilenceMs, latenessMs, ledger, patient } =
    findings;
  const slowest = Object.entries(slowestMs).map(([kind, ms]) => `${kind} ${Math.round(ms)} ms`);
  return [
    `${operations} operations, not answered: ${JSON.stringify(codes)}`,
    `slowest with repeats: ${slowest.join(', ')}`,
    `one key without an answer for ${Math.round(longestWait.ms)} ms (${longestWait.key})`,
    `a client for ${Math.round(longestSilenceMs)} ms (the test late by ${Math.round(latenessMs)} ms)`,
    `${ledger.acknowledged} in the ledger`,
    `with repeats: ${patient.requests} requests, ${patient.repeated} repeated, ${patient.failures.length} failed`,
  ].join('; ');
}

/** Polls a count that only grows; the test's own time limit bounds it. */
async function reached(count: () => number, wanted: number): Promise<void> {
  while (count() < wanted) await delay(20);
}
