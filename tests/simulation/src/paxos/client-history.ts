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
import type { Condition } from '@ringleader/paxos';
import type { Revision } from '@ringleader/primitives';
import { fail } from './checks.js';
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

/**
 * A history too hard to decide within the bound is no failure: the other checks have seen it too. `revisionOf` tells
 * where a write is committed, if it is: only of what expires, which nobody asks for, does a client not learn that.
 */
export function checkLinearizable(
  history: readonly ClientEvent[],
  revisionOf: (write: ClientWriteRequest) => Revision | null,
): void {
  const operations = history
    .flatMap((event) => [operationOf(event), ...expiryOf(event, revisionOf)])
    .filter((operation) => operation !== null);
  const result = checkOperations(kvWithConditions, operations, { configurationsMax: CONFIGURATIONS_MAX });
  if (result.verdict === 'violation') fail('linearizability', result.counterexample);
}

type ClientWriteRequest = Extract<ClientRequest, { kind: 'write' }>;

/** From when it is written on a row with a time to live may go at any time, or never. */
function expiryOf(
  { client, request, invokedAt }: ClientEvent,
  revisionOf: (write: ClientWriteRequest) => Revision | null,
): Operation<KvInput, KvOutput>[] {
  if (request.kind !== 'write' || request.operation.kind !== 'put') return [];
  const { key, expiresAt } = request.operation;
  const ifRevision = expiresAt === null ? null : revisionOf(request);
  if (ifRevision === null) return [];
  return [
    {
      process: client,
      input: { op: 'delete', key, conditions: { ifRevision } },
      outcome: { kind: 'unknown' },
      invokedAt,
      returnedAt: Infinity,
    },
  ];
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
