/** Linearizability of single keys, by a search which knows nothing of revisions or of the log: only what clients saw. */
import {
  checkOperations,
  kvAppend,
  type KvAppendInput,
  type KvAppendOutput,
  type Operation,
} from '@ringleader/testing-linearizability';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { RecordedOperation } from './clients.js';

const configurationsMax = 20_000;

/** A history too hard to decide within the bound is no failure. */
export function checkAppends(history: readonly RecordedOperation[]): void {
  const operations = history.flatMap((recorded) => operationOf(recorded) ?? []);
  const result = checkOperations(kvAppend, operations, { configurationsMax });
  if (result.verdict === 'violation') throw new SimulationFailure('linearizability', result.counterexample);
}

/** Null for what certainly did not happen, for a read that nobody saw the answer of, and for what is about other keys. */
function operationOf({
  client,
  operation,
  invokedAt,
  returnedAt,
  answer,
}: RecordedOperation): Operation<KvAppendInput, KvAppendOutput> | null {
  if (operation.op !== 'append' && operation.op !== 'get') return null;
  const known = { process: client, input: operation, invokedAt, returnedAt };
  if (answer === null) return operation.op === 'get' ? null : { ...known, outcome: { kind: 'unknown' } };
  if (answer.kind === 'unavailable') return null;
  return { ...known, outcome: { kind: 'ok', output: answer.kind === 'value' ? answer.value : undefined } };
}
