import { describe, expect, it } from '@jest/globals';
import { checkOperations, kvWithConditions } from '@ringleader/testing-linearizability';
import type { RecordedOperation, RecordedOutcome, RecordedRequest } from './recorded-operation.js';
import { toHistory } from './to-history.js';

let now = 0;
const operation = (request: RecordedRequest, outcome: RecordedOutcome): RecordedOperation => {
  now += 2;
  return { process: 0, key: 'k', request, outcome, invokedAtMs: now, completedAtMs: now + 1 };
};
const put = (value: string): RecordedRequest => ({ kind: 'put', value, condition: null });
const written = (revision: number, version: number): RecordedOutcome => ({
  kind: 'written',
  revision,
  version,
  created: version === 1,
});
const verdict = (operations: RecordedOperation[]): string =>
  checkOperations(kvWithConditions, toHistory(operations)).verdict;

describe('toHistory', () => {
  it('accepts a write that is read back, under conditions and deletes', () => {
    expect(
      verdict([
        operation(put('a'), written(1, 1)),
        operation(
          { kind: 'put', value: 'b', condition: { kind: 'ifAbsent' } },
          { kind: 'conditionFailed', revision: 1 },
        ),
        operation({ kind: 'get' }, { kind: 'found', value: 'a', revision: 1 }),
        operation({ kind: 'delete', condition: null }, { kind: 'deleted' }),
        operation({ kind: 'get' }, { kind: 'absent' }),
      ]),
    ).toBe('linearizable');
  });

  it('finds an acknowledged write that is lost', () => {
    expect(
      verdict([operation(put('a'), written(1, 1)), operation({ kind: 'get' }, { kind: 'absent' })]),
    ).toBe('violation');
  });

  it('finds a refused write that was done after all', () => {
    const refused = operation(put('a'), { kind: 'refused', code: 'UNAVAILABLE' });
    expect(verdict([refused, operation({ kind: 'get' }, { kind: 'found', value: 'a', revision: 1 })])).toBe(
      'violation',
    );
  });

  it('lets an unknown write happen or not', () => {
    const unknown = operation(put('a'), { kind: 'unknown', code: 'OUTCOME_UNKNOWN' });
    const read: RecordedRequest = { kind: 'get' };
    expect(verdict([unknown, operation(read, { kind: 'absent' })])).toBe('linearizable');
    expect(verdict([unknown, operation(read, { kind: 'found', value: 'a', revision: 1 })])).toBe(
      'linearizable',
    );
  });
});
