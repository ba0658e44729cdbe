import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import fc from 'fast-check';
import {
  casRegister,
  checkHistory,
  checkOperations,
  kvWithConditions,
  multiRegister,
  mutex,
  toOperations,
  type HistoryEvent,
  type CasRegisterInput,
  type CasRegisterOutput,
  type KvInput,
  type KvOutput,
  type Model,
  type MultiRegisterInput,
  type MultiRegisterOutput,
  type MutexInput,
  type Operation,
} from './index.js';
import { simulateStore, type KvEvent } from './simulated-store.js';

/** The definition, tried literally: every order of every choice of the unknown operations. */
function isLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  left: readonly Operation<Input, Output>[],
  state: State,
): boolean {
  if (left.every(({ outcome }) => outcome.kind === 'unknown')) return true;
  const firstReturn = Math.min(
    ...left.map(({ outcome, returnedAt }) => (outcome.kind === 'ok' ? returnedAt : Number.POSITIVE_INFINITY)),
  );
  return left.some((operation) => {
    if (operation.invokedAt > firstReturn) return false;
    const next = model.step(state, operation.input, operation.outcome);
    return (
      next !== undefined &&
      isLinearizable(
        model,
        left.filter((other) => other !== operation),
        next,
      )
    );
  });
}

/** Spoils one answer, which may or may not make the history wrong. */
function spoil(events: readonly KvEvent[], choice: number): KvEvent[] {
  const answers = events.flatMap((event, at) => (event.type === 'ok' ? [at] : []));
  const at = answers[choice % Math.max(1, answers.length)];
  return events.map((event, index) => {
    if (index !== at || event.type !== 'ok') return event;
    return { ...event, output: spoilOutput(event.output, choice) };
  });
}

function spoilOutput(output: KvOutput, choice: number): KvOutput {
  if (output.kind === 'absent') return { kind: 'row', value: 'v0' };
  if (choice % 3 === 0) return { kind: 'absent' };
  const { revision = 0, version = 0 } = output;
  return choice % 3 === 1 ? { ...output, revision: revision + 1 } : { ...output, version: version + 1 };
}

describe('checkHistory with the store model', () => {
  const small = fc.record({
    seed: fc.integer(),
    operations: fc.integer({ min: 1, max: 7 }),
    spoiled: fc.nat(),
  });

  it('agrees with the definition on small histories, right and wrong ones', () => {
    const seen = { linearizable: 0, violation: 0 };
    fc.assert(
      fc.property(small, fc.boolean(), ({ seed, operations, spoiled }, wrong) => {
        const load = { prng: seededPrng(seed), operations, processes: 4, keys: 1, unknownPercent: 25 };
        const right = simulateStore(load);
        const events = wrong ? spoil(right, spoiled) : right;
        const expected = isLinearizable(kvWithConditions, toOperations(events), kvWithConditions.initial);
        const { verdict } = checkHistory(kvWithConditions, events);
        expect(verdict).toBe(expected ? 'linearizable' : 'violation');
        if (!wrong) expect(verdict).toBe('linearizable');
        seen[expected ? 'linearizable' : 'violation'] += 1;
      }),
      { numRuns: 1500 },
    );
    expect(seen.linearizable).toBeGreaterThan(300);
    expect(seen.violation).toBeGreaterThan(100);
  });

  it('decides long histories with one wrong answer, quickly', () => {
    const verdicts = { linearizable: 0, violation: 0, unknown: 0 };
    for (let seed = 1; seed <= 60; seed++) {
      const load = { prng: seededPrng(seed), operations: 500, processes: 8, keys: 2, unknownPercent: 8 };
      verdicts[checkHistory(kvWithConditions, spoil(simulateStore(load), seed)).verdict] += 1;
    }
    expect(verdicts.unknown).toBe(0);
    expect(verdicts.violation).toBeGreaterThan(50);
  });

  it('accepts long histories of a correct store, with answers lost', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const load = { prng: seededPrng(seed), operations: 400, processes: 8, keys: 2, unknownPercent: 8 };
      expect({ seed, verdict: checkHistory(kvWithConditions, simulateStore(load)).verdict }).toEqual({
        seed,
        verdict: 'linearizable',
      });
    }
  });

  it('checks 100,000 operations in a few seconds, hot keys and lost answers included', () => {
    const load = { prng: seededPrng(1), operations: 100_000, processes: 50, keys: 20, unknownPercent: 2 };
    const events = simulateStore(load);
    // CPU time, which other work on the machine does not stretch.
    const before = process.cpuUsage();
    const result = checkHistory(kvWithConditions, events);
    const { user, system } = process.cpuUsage(before);
    expect(result).toMatchObject({ verdict: 'linearizable', operations: 100_000 });
    expect((user + system) / 1_000).toBeLessThan(10_000);
  });

  it('binds the revision of an unanswered write to the one first seen', () => {
    const events: KvEvent[] = [
      { type: 'invoke', process: 1, input: { op: 'put', key: 'k', value: 'a' } },
      { type: 'info', process: 1 },
      { type: 'invoke', process: 2, input: { op: 'get', key: 'k' } },
      { type: 'ok', process: 2, output: { kind: 'row', value: 'a', revision: 7, version: 1 } },
    ];
    const read = (revision: number): KvEvent[] => [
      { type: 'invoke', process: 3, input: { op: 'get', key: 'k' } },
      { type: 'ok', process: 3, output: { kind: 'row', value: 'a', revision } },
    ];
    expect(checkHistory(kvWithConditions, [...events, ...read(7)]).verdict).toBe('linearizable');
    expect(checkHistory(kvWithConditions, [...events, ...read(8)]).verdict).toBe('violation');
  });

  it('explains a violation in words', () => {
    const result = checkHistory<unknown, KvInput, KvOutput>(kvWithConditions, [
      {
        type: 'invoke',
        process: 1,
        input: { op: 'put', key: 'k', value: 'a', conditions: { ifAbsent: true } },
      },
      { type: 'ok', process: 1, output: { kind: 'written', revision: 3, version: 1, created: true } },
      { type: 'invoke', process: 2, input: { op: 'get', key: 'k' } },
      { type: 'ok', process: 2, output: { kind: 'absent' } },
    ]);
    expect(result).toMatchObject({ verdict: 'violation', object: 'k' });
    expect(result.verdict === 'violation' ? result.counterexample : '').toBe(
      [
        'not linearizable as kv-with-conditions, object "k" (2 configurations tried)',
        '  longest order found, 1 operations:',
        '    [0, 1] process 1: put k "a" ifAbsent -> written (revision 3, version 1)  =>  "a" (revision 3, version 1)',
        '  state there: "a" (revision 3, version 1)',
        '  which does not explain: [2, 3] process 2: get k -> absent',
        '  operations with unknown outcome until then: 0',
      ].join('\n'),
    );
  });

  it('gives up within its bound, and says on what', () => {
    const load = { prng: seededPrng(5), operations: 200, processes: 8, keys: 1, unknownPercent: 5 };
    const events = simulateStore(load);
    expect(checkHistory(kvWithConditions, events, { configurationsMax: 10 })).toMatchObject({
      verdict: 'unknown',
      undecided: ['k0'],
    });
  });
});

describe('checkOperations', () => {
  type RegisterOperation = Operation<CasRegisterInput<number | null>, CasRegisterOutput<number | null>>;
  const register = casRegister<number | null>(null);
  const write = (value: number, invokedAt: number, returnedAt: number): RegisterOperation => ({
    process: 1,
    input: { op: 'write', value },
    outcome: { kind: 'ok', output: { kind: 'done' } },
    invokedAt,
    returnedAt,
  });
  const read = (value: number, invokedAt: number, returnedAt: number): RegisterOperation => ({
    process: 2,
    input: { op: 'read' },
    outcome: { kind: 'ok', output: { kind: 'value', value } },
    invokedAt,
    returnedAt,
  });

  it('counts equal times as concurrent', () => {
    const history = (secondInvokedAt: number): RegisterOperation[] => [
      write(1, 0, 5),
      write(2, secondInvokedAt, 8),
      read(1, 9, 10),
    ];
    expect(checkOperations(register, history(5)).verdict).toBe('linearizable');
    expect(checkOperations(register, history(6)).verdict).toBe('violation');
  });

  it('keeps a write of the present value for when it is needed', () => {
    const history = [write(1, 0, 1), write(1, 2, 9), write(2, 3, 4), read(2, 5, 6), read(1, 7, 8)];
    expect(checkOperations(register, history).verdict).toBe('linearizable');
  });
});

describe('checkHistory with the mutex model', () => {
  const events = (
    ...steps: [number, 'invoke' | 'ok' | 'info', MutexInput['op']][]
  ): HistoryEvent<MutexInput, undefined>[] =>
    steps.map(([process, type, op]) =>
      type === 'invoke'
        ? { type, process, input: { op } }
        : type === 'ok'
          ? { type, process, output: undefined }
          : { type, process },
    );

  it('refuses two holders', () => {
    const twice = events(
      [1, 'invoke', 'acquire'],
      [1, 'ok', 'acquire'],
      [2, 'invoke', 'acquire'],
      [2, 'ok', 'acquire'],
    );
    expect(checkHistory(mutex, twice).verdict).toBe('violation');
  });

  it('lets a release whose outcome is unknown free the lock later', () => {
    const released = events(
      [1, 'invoke', 'acquire'],
      [1, 'ok', 'acquire'],
      [1, 'invoke', 'release'],
      [1, 'info', 'release'],
      [2, 'invoke', 'acquire'],
      [2, 'ok', 'acquire'],
    );
    expect(checkHistory(mutex, released).verdict).toBe('linearizable');
  });
});

describe('checkHistory with the multi-register model', () => {
  const write = (register: string, value: number): MultiRegisterInput['transaction'][number] => ({
    op: 'write',
    register,
    value,
  });
  const read = (register: string): MultiRegisterInput['transaction'][number] => ({ op: 'read', register });
  const transactions = (
    ...list: [MultiRegisterInput['transaction'], MultiRegisterOutput][]
  ): HistoryEvent<MultiRegisterInput, MultiRegisterOutput>[] => [
    ...list.map(([transaction], process) => ({ type: 'invoke', process, input: { transaction } }) as const),
    ...list.map(([, output], process) => ({ type: 'ok', process, output }) as const),
  ];

  it('sees transactions as atomic', () => {
    const both = [write('x', 1), write('y', 1)];
    const whole = transactions(
      [both, []],
      [
        [read('x'), read('y')],
        [1, 1],
      ],
      [[read('x')], [null]],
    );
    expect(checkHistory(multiRegister, whole).verdict).toBe('linearizable');
    const torn = transactions(
      [both, []],
      [
        [read('x'), read('y')],
        [1, null],
      ],
    );
    expect(checkHistory(multiRegister, torn).verdict).toBe('violation');
  });
});
