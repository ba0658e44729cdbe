/**
 * Recorded operations in the terms of the linearizability checker. What was refused certainly did not happen, so it is no
 * part of the history: should it have happened all the same, a later read finds it.
 */
import type { KvConditions, KvInput, KvOutput, Operation } from '@ringleader/testing-linearizability';
import type { RecordedCondition, RecordedOperation, RecordedOutcome } from './recorded-operation.js';

export function toHistory(operations: readonly RecordedOperation[]): Operation<KvInput, KvOutput>[] {
  const history: Operation<KvInput, KvOutput>[] = [];
  for (const operation of operations) {
    const { outcome, process, invokedAtMs, completedAtMs } = operation;
    if (outcome.kind === 'refused') continue;
    // A read without an answer says nothing.
    if (outcome.kind === 'unknown' && operation.request.kind === 'get') continue;
    history.push({
      process,
      input: toInput(operation),
      outcome: outcome.kind === 'unknown' ? outcome : { kind: 'ok', output: toOutput(outcome) },
      invokedAt: invokedAtMs,
      returnedAt: completedAtMs,
    });
  }
  return history;
}

function toInput({ key, request }: RecordedOperation): KvInput {
  if (request.kind === 'get') return { op: 'get', key };
  const conditions = toConditions(request.condition);
  return request.kind === 'put'
    ? { op: 'put', key, value: request.value, conditions }
    : { op: 'delete', key, conditions };
}

function toConditions(condition: RecordedCondition | null): KvConditions {
  if (condition === null) return {};
  if (condition.kind === 'ifRevision') return { ifRevision: condition.revision };
  return condition.kind === 'ifAbsent' ? { ifAbsent: true } : { ifPresent: true };
}

function toOutput(outcome: Exclude<RecordedOutcome, { kind: 'refused' | 'unknown' }>): KvOutput {
  switch (outcome.kind) {
    case 'written':
      return {
        kind: 'written',
        revision: outcome.revision,
        version: outcome.version,
        created: outcome.created,
      };
    case 'deleted':
      return { kind: 'written' };
    case 'found':
      return { kind: 'row', value: outcome.value, revision: outcome.revision };
    case 'absent':
      return { kind: 'absent' };
    case 'conditionFailed':
      return { kind: 'conditionFailed', revision: outcome.revision };
  }
}
