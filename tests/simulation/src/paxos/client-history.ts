/**
 * What clients saw, and nothing else, held against a sequential store by the linearizability checker. The checks in
 * `ghost` are stricter, but they know the inside of shards; this one knows only questions and answers.
 */
import {
  checkOperations,
  kvWithConditions,
  type KvConditions,
  type KvInput,
  type KvOutput,
  type Operation,
} from '@ringleader/testing-linearizability';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { Condition } from '@ringleader/paxos';
import type { ClientRequest, Outcome } from './gateway.js';

export interface ClientEvent {
  readonly client: number;
  readonly request: ClientRequest;
  readonly invokedAt: number;
  /** Null while it is not answered. */
  returnedAt: number | null;
  outcome: Outcome;
}

const UTF8 = new TextDecoder();
const CONFIGURATIONS_MAX = 20_000;

/** A history too hard to decide within the bound is no failure: the other checks have seen it too. */
export function checkLinearizable(history: readonly ClientEvent[]): void {
  const operations = history.flatMap((event) => operationOf(event) ?? []);
  const result = checkOperations(kvWithConditions, operations, { configurationsMax: CONFIGURATIONS_MAX });
  if (result.verdict === 'violation') throw new SimulationFailure('linearizability', result.counterexample);
}

function operationOf(event: ClientEvent): Operation<KvInput, KvOutput> | null {
  const input = inputOf(event.request);
  if (input === null) return null;
  const output = outputOf(event.outcome);
  const { client, invokedAt, returnedAt } = event;
  return {
    process: client,
    input,
    outcome: output === null ? { kind: 'unknown' } : { kind: 'ok', output },
    invokedAt,
    returnedAt: returnedAt ?? Infinity,
  };
}

/** Stale reads and scans are no single operations on one key. */
function inputOf(request: ClientRequest): KvInput | null {
  if (request.kind === 'scan') return null;
  if (request.kind === 'read') {
    return request.maxStalenessMs === 'linearizable' ? { op: 'get', key: request.key } : null;
  }
  const { operation } = request;
  const conditions = conditionsOf(operation.conditions);
  return operation.kind === 'delete'
    ? { op: 'delete', key: operation.key, conditions }
    : { op: 'put', key: operation.key, value: UTF8.decode(operation.value), conditions };
}

function conditionsOf(conditions: readonly Condition[]): KvConditions {
  return Object.assign(
    {},
    ...conditions.map((condition): KvConditions => {
      switch (condition.kind) {
        case 'ifAbsent':
          return { ifAbsent: true };
        case 'ifPresent':
          return { ifPresent: true };
        case 'ifRevision':
          return { ifRevision: condition.revision };
        case 'ifVersion':
          return { ifVersion: condition.version };
      }
    }),
  ) as KvConditions;
}

function outputOf(outcome: Outcome): KvOutput | null {
  switch (outcome.kind) {
    case 'written':
      return { kind: 'written', revision: outcome.revision };
    case 'conditionFailed':
      return { kind: 'conditionFailed', revision: outcome.revision, version: outcome.version };
    case 'absent':
      return { kind: 'absent' };
    case 'row': {
      const { row } = outcome;
      if (row === null || row.value === null) return { kind: 'absent' };
      return { kind: 'row', value: UTF8.decode(row.value), revision: row.revision, version: row.version };
    }
    default:
      return null;
  }
}
